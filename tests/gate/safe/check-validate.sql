-- claim: a validation reads the table while everybody reads and writes
-- database: postgres-15
-- before: ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total >= 0) NOT VALID;
SET lock_timeout = '5s';
ALTER TABLE orders VALIDATE CONSTRAINT total_positive;
