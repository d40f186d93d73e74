-- claim: every row is checked while nobody reads or writes
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total >= 0);
