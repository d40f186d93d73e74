-- claim: a domain with a constraint is checked on every row, even without a default (squawk and
--   pgfence find nothing)
-- database: postgres-11 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN contact email;
