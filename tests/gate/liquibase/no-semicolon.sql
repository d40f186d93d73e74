--liquibase formatted sql
-- claim: a changeset ends its last statement, also where no semicolon does
-- database: postgres-15
-- expect: data-loss

--changeset ann:1
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text

--changeset ann:2
TRUNCATE audit_log
