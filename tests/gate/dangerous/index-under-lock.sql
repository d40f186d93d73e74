-- claim: the column is added in a moment, and nobody reads the table while the index of another
--   is built in the same transaction
-- database: postgres-15
-- before: ALTER TABLE items ADD CONSTRAINT amount_positive CHECK (amount > 0) NOT VALID;
-- expect: work-under-lock
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD COLUMN source text;
ALTER TABLE items VALIDATE CONSTRAINT amount_positive;
COMMIT;
