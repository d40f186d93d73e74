-- claim: a shorter statement time-out ends the wait for a lock, too
-- database: postgres-15
SET statement_timeout = '4s';
ALTER TABLE orders ADD COLUMN source text;
