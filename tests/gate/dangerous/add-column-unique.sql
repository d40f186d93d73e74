-- claim: the index of the new column is built while nobody reads or writes
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN token text UNIQUE;
