-- claim: a validation of NOT NULL reads the table while everybody reads and writes
-- database: postgres-18
-- before: ALTER TABLE orders ADD CONSTRAINT remark_there NOT NULL remark NOT VALID;
SET lock_timeout = '5s';
ALTER TABLE orders VALIDATE CONSTRAINT remark_there;
