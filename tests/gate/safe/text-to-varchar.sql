-- claim: a varchar without a length is text
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark TYPE varchar;
