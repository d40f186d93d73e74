-- claim: an identity column numbers every row that is there (pgfence finds nothing)
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
