-- claim: the lock of the first statement is held while the second reads the table
-- database: postgres-15
-- expect: work-under-lock
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total >= 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT total_positive;
COMMIT;
