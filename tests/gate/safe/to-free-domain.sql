-- claim: a domain without a constraint is its base type
-- database: postgres-15
-- before: ALTER TABLE orders DROP CONSTRAINT amount_positive;
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN amount TYPE short;
