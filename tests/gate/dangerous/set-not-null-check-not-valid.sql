-- claim: a check that is not valid proves nothing
-- database: postgres-15
-- before: ALTER TABLE orders ADD CONSTRAINT remark_there CHECK (remark IS NOT NULL) NOT VALID;
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark SET NOT NULL;
