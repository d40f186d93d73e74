-- claim: a new column of a new enum is an entry in the catalogue
-- database: postgres-15
SET lock_timeout = '5s';
BEGIN;
CREATE TYPE tone AS ENUM ('low', 'high');
ALTER TABLE orders ADD COLUMN tone tone DEFAULT 'low';
COMMIT;
