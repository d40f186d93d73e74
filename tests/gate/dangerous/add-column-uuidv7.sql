-- claim: a value for each row writes the table anew
-- database: postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN token uuid DEFAULT uuidv7();
