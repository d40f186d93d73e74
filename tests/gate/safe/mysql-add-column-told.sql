-- claim: told to be instant, it refuses rather than copies
-- database: mysql-8.4 mariadb-10.11 mariadb-11.8
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN source varchar(20), ALGORITHM=INSTANT;
