-- claim: `now()` is one value for the whole statement, so it is stored once (pgfence and others
--   say that it rewrites the table)
-- database: postgres-11 postgres-15 postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN noticed_at timestamptz DEFAULT now();
