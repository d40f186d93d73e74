-- claim: the client leaves, and the server rolls all of it back
-- database: postgres-15
-- expect: transaction-boundaries
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD COLUMN a text;
