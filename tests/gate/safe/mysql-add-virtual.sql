-- claim: a virtual column is computed when it is read
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN upper_name varchar(100) GENERATED ALWAYS AS (upper(name)) VIRTUAL;
