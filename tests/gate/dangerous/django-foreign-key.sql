-- claim: what Django writes for a ForeignKey on a table that is there: both tables take no writes
--   while every row is looked up
-- database: postgres-15
-- runner: django
-- expect: long-lock
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE "orders" ADD CONSTRAINT "orders_customer_fk" FOREIGN KEY ("customer_id") REFERENCES "customers" ("id") DEFERRABLE INITIALLY DEFERRED;
COMMIT;
