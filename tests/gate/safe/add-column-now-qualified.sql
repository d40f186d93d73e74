-- claim: `pg_catalog.now()` is the same function (squawk 2.70 flags it)
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN noticed_at timestamptz DEFAULT pg_catalog.now();
