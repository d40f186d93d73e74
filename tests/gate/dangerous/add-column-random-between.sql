-- claim: `random(1, 10)` is volatile whatever its arguments are
-- database: postgres-17 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN dice integer DEFAULT random(1, 10);
