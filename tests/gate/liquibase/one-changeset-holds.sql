--liquibase formatted sql
-- claim: within one changeset the lock of the first statement is held while the second reads the table
-- database: postgres-15
-- expect: work-under-lock

--changeset ann:1
SET lock_timeout = '5s';
ALTER TABLE orders ADD CONSTRAINT total_positive CHECK (total >= 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT total_positive;
