-- claim: what TypeORM writes for a longer varchar: the values are lost (typeorm#3357)
-- database: postgres-15
-- runner: typeorm
-- expect: data-loss, drop-with-add
SET lock_timeout = '5s';
ALTER TABLE "orders" DROP COLUMN "note";
ALTER TABLE "orders" ADD "note" character varying(300);
