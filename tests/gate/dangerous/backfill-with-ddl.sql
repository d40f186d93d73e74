-- claim: the lock of the change is held while rows are written: DDL and backfill in one
--   transaction, which nobody catches
-- database: postgres-15
-- expect: data-change
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD COLUMN source text;
UPDATE orders SET source = 'web';
COMMIT;
