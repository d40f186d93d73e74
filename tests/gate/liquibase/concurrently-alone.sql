--liquibase formatted sql
-- claim: a changeset without a transaction runs CONCURRENTLY, whatever the others of the file do
-- database: postgres-15
-- runner: liquibase

--changeset ann:1
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text;
ALTER TABLE orders ADD COLUMN origin text;

--changeset ann:2 runInTransaction:false
CREATE INDEX CONCURRENTLY orders_code_idx ON orders (code);
