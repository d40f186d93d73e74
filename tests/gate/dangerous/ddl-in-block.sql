-- claim: what stands in a block is run like any other (EF Core's idempotent scripts; squawk and
--   pgfence find nothing)
-- database: postgres-15
-- runner: efcore
-- before: CREATE TABLE "__EFMigrationsHistory" ("MigrationId" varchar(150) PRIMARY KEY);
-- expect: long-lock
SET lock_timeout = '5s';
DO $EF$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM "__EFMigrationsHistory" WHERE "MigrationId" = '2026_1') THEN
        CREATE INDEX orders_customer_idx ON orders (customer_id);
    END IF;
END $EF$;
