-- claim: a value for each row writes the table anew, with every index
-- database: postgres-13 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN token uuid DEFAULT gen_random_uuid();
