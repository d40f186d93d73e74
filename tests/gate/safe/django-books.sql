-- claim: the row that Django writes into its own book is no change of data
-- database: postgres-15
-- runner: django
-- before: CREATE TABLE django_migrations (id bigint PRIMARY KEY, app text, name text, applied timestamptz);
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE "orders" ADD COLUMN "source" text NULL;
INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0007_source', now());
COMMIT;
