-- claim: in a zone other than UTC every value is another number: the table is written anew
-- database: postgres-12 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
SET timezone = 'Europe/Paris';
ALTER TABLE orders ALTER COLUMN placed_at TYPE timestamptz;
