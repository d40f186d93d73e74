-- claim: Alembic's own book is exempt, rows of the application are not
-- database: postgres-15
-- runner: alembic
-- before: CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
-- expect: data-change
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE countries ADD COLUMN region text;
UPDATE countries SET region = 'EU' WHERE code = 'DE';
UPDATE alembic_version SET version_num = 'a1' WHERE alembic_version.version_num = 'a0';
COMMIT;
