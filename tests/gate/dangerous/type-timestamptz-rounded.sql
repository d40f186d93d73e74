-- claim: at UTC, too, the table is written anew where the new type has a precision: the cast has
--   six digits, and they are cut
-- database: postgres-15 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
SET timezone = 'UTC';
ALTER TABLE orders ALTER COLUMN placed_at TYPE timestamptz(3);
