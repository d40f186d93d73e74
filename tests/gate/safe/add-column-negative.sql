-- claim: a negative number is a constant expression, folded before it is stored (squawk 2.70
--   calls it volatile)
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN rank integer DEFAULT -1;
