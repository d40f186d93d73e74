-- claim: a default that is an expression copies the table
-- database: mysql-8.4
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN rank int DEFAULT (3);
