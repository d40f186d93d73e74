-- claim: every row gets a number: the table is rebuilt
-- database: mysql-8.4 mariadb-10.11
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN number bigint NOT NULL AUTO_INCREMENT UNIQUE;
