-- claim: a check that lets NULL through in one of its branches proves nothing
-- database: postgres-15
-- before: ALTER TABLE orders ADD CONSTRAINT remark_there CHECK (remark IS NOT NULL OR note IS NOT NULL);
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark SET NOT NULL;
