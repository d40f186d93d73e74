-- claim: an interval without a bound holds what it held
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN took TYPE interval;
