-- claim: nobody said what the zone of the session is, and it decides
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN placed_at TYPE timestamptz;
