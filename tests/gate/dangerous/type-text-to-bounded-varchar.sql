-- claim: every value is looked at: the table is written anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark TYPE varchar(50);
