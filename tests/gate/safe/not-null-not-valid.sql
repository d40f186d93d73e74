-- claim: since 18 NOT NULL can be promised first and verified later (parsers of before reject it)
-- database: postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT remark_there NOT NULL remark NOT VALID;
