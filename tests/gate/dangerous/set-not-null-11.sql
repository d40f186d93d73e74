-- claim: before 12 a check proves nothing
-- database: postgres-11
-- before: ALTER TABLE orders ADD CONSTRAINT remark_there CHECK (remark IS NOT NULL);
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark SET NOT NULL;
