-- claim: a default of the moment is one value for the rows that are there
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN noticed_at datetime DEFAULT CURRENT_TIMESTAMP;
