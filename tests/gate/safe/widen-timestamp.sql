-- claim: more digits of a second change no stored value
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN placed_at TYPE timestamp(6);
