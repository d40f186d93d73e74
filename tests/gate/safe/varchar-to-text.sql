-- claim: text holds the same bytes
-- database: postgres-10 postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN note TYPE text;
