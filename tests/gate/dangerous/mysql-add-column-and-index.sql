-- claim: each alone writes no row; together they rebuild the table
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN rank int, ADD INDEX by_rank (rank);
