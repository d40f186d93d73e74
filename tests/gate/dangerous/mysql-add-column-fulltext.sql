-- claim: a table with a full-text index is rebuilt for a new column
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE texts ADD COLUMN source varchar(20);
