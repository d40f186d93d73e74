-- claim: SET LOCAL holds to the end of its transaction
-- database: postgres-15
BEGIN;
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders ADD COLUMN source text;
COMMIT;
