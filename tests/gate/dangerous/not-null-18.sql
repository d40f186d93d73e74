-- claim: without NOT VALID every row is looked at under the lock
-- database: postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT remark_there NOT NULL remark;
