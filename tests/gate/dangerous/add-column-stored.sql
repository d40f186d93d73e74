-- claim: a stored generated column is computed for every row
-- database: postgres-12 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN doubled integer GENERATED ALWAYS AS (amount * 2) STORED;
