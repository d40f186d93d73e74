-- claim: the INSERT of the code that runs now does not name the column, and its default is gone
--   (most checkers allow it)
-- database: postgres-15
-- runner: django
-- expect: broken-code
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE orders ADD COLUMN source text DEFAULT 'web' NOT NULL;
ALTER TABLE orders ALTER COLUMN source DROP DEFAULT;
COMMIT;
