-- claim: every table with a column of the domain is read, and writes wait
-- database: postgres-15
-- before: ALTER TABLE orders ADD COLUMN tag label;
-- expect: long-lock
SET lock_timeout = '5s';
ALTER DOMAIN label ADD CONSTRAINT short_one CHECK (length(VALUE) < 100);
