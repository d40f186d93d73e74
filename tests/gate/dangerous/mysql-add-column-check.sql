-- claim: an inline check copies the table
-- database: mysql-8.4
-- expect: hand-over
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN rank int CHECK (rank > 0);
