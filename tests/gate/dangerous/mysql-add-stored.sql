-- claim: a stored generated column is computed for every row
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN upper_name varchar(100) GENERATED ALWAYS AS (upper(name)) STORED;
