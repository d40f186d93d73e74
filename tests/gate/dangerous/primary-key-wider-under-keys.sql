-- claim: a wider key is written anew, and every table that refers to it is locked and looked up
--   as well
-- database: postgres-15 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
