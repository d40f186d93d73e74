-- claim: each alone writes no row; together they rebuild the table
-- database: mysql-8.4
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN rank int, MODIFY name varchar(120);
