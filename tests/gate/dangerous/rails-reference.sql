-- claim: what Rails writes for add_reference: an index and a key, each under a lock, in one
--   transaction
-- database: postgres-15
-- runner: rails
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE "orders" ADD "shop_id" bigint;
CREATE INDEX "index_orders_on_shop_id" ON "orders" ("shop_id");
