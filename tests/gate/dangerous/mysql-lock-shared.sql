-- claim: writes wait for as long as the index is built, because the statement says so
-- database: mysql-8.4 mariadb-10.11
-- expect: long-lock
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD INDEX by_name (name), LOCK=SHARED;
