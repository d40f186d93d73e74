-- claim: the time-out was put back before the statement that needs it
-- database: postgres-15
-- expect: lock-timeout
SET lock_timeout = '2s';
RESET lock_timeout;
ALTER TABLE orders ADD COLUMN source text;
