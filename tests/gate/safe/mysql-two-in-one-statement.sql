-- claim: two changes of one table are one statement, which happens or does not
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN a int, ADD COLUMN b int;
