-- claim: a virtual column is computed when it is read: nothing is stored, so nothing is written
--   (squawk 2.70 says that it rewrites)
-- database: postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN doubled integer GENERATED ALWAYS AS (amount * 2) VIRTUAL;
