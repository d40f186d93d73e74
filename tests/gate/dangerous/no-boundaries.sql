-- claim: if the second fails, the first has happened
-- database: postgres-15
-- expect: transaction-boundaries
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN a text;
ALTER TABLE orders ADD COLUMN b text;
