--liquibase formatted sql
-- claim: a property that comes from elsewhere hides what the statement does
-- database: postgres-15
-- expect: not-evaluated

--changeset ann:1
SET lock_timeout = '5s';
ALTER TABLE ${given.outside} ADD COLUMN source text;
