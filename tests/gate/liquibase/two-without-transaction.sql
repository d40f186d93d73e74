--liquibase formatted sql
-- claim: two statements of a changeset without a transaction may happen by half, and it is not noted
--   as run then
-- database: postgres-15
-- expect: transaction-boundaries

--changeset ann:1 runInTransaction:false
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text;
ALTER TABLE orders ADD COLUMN origin text;
