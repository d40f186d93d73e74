-- claim: what Django writes for AddIndex: writes wait while it is built
-- database: postgres-15
-- runner: django
-- expect: long-lock
SET lock_timeout = '5s';
BEGIN;
CREATE INDEX "orders_code_idx" ON "orders" ("code");
COMMIT;
