-- claim: NOT NULL … NOT VALID came with 18
-- database: postgres-15 postgres-17
-- expect: will-fail
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT remark_there NOT NULL remark NOT VALID;
