-- claim: parentheses make no constant volatile (squawk 2.70 calls it so)
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN rank integer DEFAULT (1);
