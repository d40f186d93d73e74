-- claim: an expression computes every value anew: the table is written anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark TYPE text USING lower(remark);
