-- claim: what Django writes for unique=True: the index is built while nobody reads or writes
-- database: postgres-15
-- runner: django
-- expect: long-lock
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE "orders" ADD CONSTRAINT "orders_code_uniq" UNIQUE ("code");
COMMIT;
