-- claim: the first table stays locked while the second is waited for
-- database: postgres-15
-- expect: several-tables
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD COLUMN source text;
ALTER TABLE customers ADD COLUMN source text;
COMMIT;
