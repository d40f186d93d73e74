-- claim: a check of the new column is verified on every row (squawk and pgfence find nothing)
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN rank integer DEFAULT 1 CHECK (rank > 0);
