-- claim: a new label touches no table; since 12 it may stand in a transaction (pgfence says that
--   it may not)
-- database: postgres-12 postgres-18
BEGIN;
ALTER TYPE mood ADD VALUE 'calm';
COMMIT;
