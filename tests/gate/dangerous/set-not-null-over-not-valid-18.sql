-- claim: SET NOT NULL on a column whose NOT NULL is not valid yet scans under the lock; VALIDATE
--   CONSTRAINT does not
-- database: postgres-18
-- before: ALTER TABLE orders ADD CONSTRAINT remark_there NOT NULL remark NOT VALID;
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark SET NOT NULL;
