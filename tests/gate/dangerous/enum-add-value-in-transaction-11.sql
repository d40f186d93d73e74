-- claim: before 12 a label is added outside of a transaction
-- database: postgres-11
-- expect: will-fail
BEGIN;
ALTER TYPE mood ADD VALUE 'calm';
COMMIT;
