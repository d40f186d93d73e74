-- claim: a value for each row copies the table
-- database: mariadb-10.11
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN token char(36) DEFAULT (uuid());
