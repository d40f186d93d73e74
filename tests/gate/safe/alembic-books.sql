-- claim: the row that Alembic writes into its own book is no change of data
-- database: postgres-15
-- runner: alembic
-- before: CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD COLUMN source text;
UPDATE alembic_version SET version_num = 'a1' WHERE alembic_version.version_num = 'a0';
COMMIT;
