-- claim: an explicit lock waits without an end
-- database: postgres-15
-- expect: lock-timeout
BEGIN;
LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;
ALTER TABLE orders ADD COLUMN source text;
COMMIT;
