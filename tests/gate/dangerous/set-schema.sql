-- claim: the code that runs now looks in the old schema
-- database: postgres-15
-- before: CREATE SCHEMA archive;
-- expect: broken-code
SET lock_timeout = '5s';
ALTER TABLE orders SET SCHEMA archive;
