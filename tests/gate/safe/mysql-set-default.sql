-- claim: a default is for rows to come
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders ALTER COLUMN amount SET DEFAULT 2;
