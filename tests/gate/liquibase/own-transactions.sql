--liquibase formatted sql
-- claim: each changeset is a transaction of its own, so nothing of the first is held in the second
-- database: postgres-15

--changeset ann:1
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total >= 0) NOT VALID;

--changeset ann:2
ALTER TABLE orders VALIDATE CONSTRAINT total_positive;
