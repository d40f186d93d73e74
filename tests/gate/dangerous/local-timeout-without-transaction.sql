-- claim: SET LOCAL outside of a transaction does nothing but warn
-- database: postgres-15
-- expect: lock-timeout
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN source text;
