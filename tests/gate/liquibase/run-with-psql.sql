--liquibase formatted sql
-- claim: what psql runs for Liquibase is in no transaction
-- database: postgres-15
-- expect: transaction-boundaries

--changeset ann:1 runWith:psql
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text;
ALTER TABLE orders ADD COLUMN origin text;
