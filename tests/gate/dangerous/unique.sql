-- claim: the index is built while nobody reads or writes
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE customers ADD CONSTRAINT customers_name_key UNIQUE (name);
