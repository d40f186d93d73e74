-- claim: serial is `nextval` for each row (squawk 2.70 finds nothing)
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN number bigserial;
