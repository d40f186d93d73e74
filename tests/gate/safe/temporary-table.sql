-- claim: nobody else sees a temporary table
-- database: postgres-15
BEGIN;
CREATE TEMP TABLE found AS SELECT id FROM orders LIMIT 10;
CREATE INDEX found_idx ON found (id);
COMMIT;
