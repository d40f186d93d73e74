-- claim: an immutable function of constants is computed once (squawk 2.70 takes every call for
--   volatile)
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text DEFAULT lower('WEB');
