-- claim: since 8.0.29 at any place
-- database: mysql-8.0.29 mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN source varchar(20) AFTER id;
