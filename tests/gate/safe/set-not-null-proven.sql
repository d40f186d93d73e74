-- claim: since 12 a valid check proves it, and no row is looked at (eugene and pgfence warn all
--   the same)
-- database: postgres-12 postgres-18
-- before: ALTER TABLE orders ADD CONSTRAINT remark_there CHECK (remark IS NOT NULL);
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark SET NOT NULL;
