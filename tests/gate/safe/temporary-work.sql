-- claim: rows of a table that this script made are its own
-- database: postgres-15
BEGIN;
CREATE TEMP TABLE wanted (id bigint);
INSERT INTO wanted VALUES (1), (2);
COMMIT;
