-- claim: a new column is one entry in the dictionary
-- database: mysql-8.0.12 mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN source varchar(20);
