-- claim: a label that this transaction has added cannot be used in it
-- database: postgres-12 postgres-18
-- expect: will-fail
SET lock_timeout = '5s';
BEGIN;
ALTER TYPE mood ADD VALUE 'calm';
ALTER TABLE shown ADD COLUMN feeling mood DEFAULT 'calm';
COMMIT;
