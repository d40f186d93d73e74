--liquibase formatted sql
-- claim: an empty rollback says that there is no way back
-- database: postgres-15

--changeset ann:1
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text;
--rollback empty
