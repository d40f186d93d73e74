-- claim: a cast to the same bytes in USING is no work
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN note TYPE text USING note::text;
