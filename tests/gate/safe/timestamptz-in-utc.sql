-- claim: since 12, at UTC, a time without a zone and one with it are the same number
-- database: postgres-12 postgres-18
SET lock_timeout = '5s';
SET timezone = 'UTC';
ALTER TABLE orders ALTER COLUMN placed_at TYPE timestamptz;
