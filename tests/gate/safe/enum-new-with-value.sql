-- claim: a label of a type that this transaction has made can be used at once
-- database: postgres-12 postgres-18
SET lock_timeout = '5s';
BEGIN;
CREATE TYPE tone AS ENUM ('low');
ALTER TYPE tone ADD VALUE 'high';
ALTER TABLE shown ADD COLUMN tone tone DEFAULT 'high';
COMMIT;
