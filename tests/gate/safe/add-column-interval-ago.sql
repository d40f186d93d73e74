-- claim: arithmetic on a stable function is stable
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN due timestamptz DEFAULT now() - interval '1 day';
