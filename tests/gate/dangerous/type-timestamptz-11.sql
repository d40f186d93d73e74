-- claim: before 12 the table is written anew in every zone
-- database: postgres-11
-- expect: long-lock
SET lock_timeout = '5s';
SET timezone = 'UTC';
ALTER TABLE orders ALTER COLUMN placed_at TYPE timestamptz;
