-- claim: a global setting is for sessions that begin later
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: lock-timeout
SET GLOBAL lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN source varchar(20);
