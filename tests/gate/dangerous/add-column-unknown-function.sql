-- claim: a function that nobody has seen may be volatile
-- database: postgres-15
-- before: CREATE FUNCTION make_token() RETURNS text LANGUAGE c AS 'token', 'make';
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN token text DEFAULT make_token();
