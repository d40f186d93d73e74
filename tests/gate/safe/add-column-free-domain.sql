-- claim: a domain without a constraint is its base type
-- database: postgres-11 postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN tag label;
