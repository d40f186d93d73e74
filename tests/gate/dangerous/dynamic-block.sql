-- claim: SQL that is put together when it runs says nothing here
-- database: postgres-15
-- expect: not-evaluated
SET lock_timeout = '5s';
DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN source text', 'orders'); END $$;
