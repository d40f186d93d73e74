--liquibase formatted sql
-- claim: a changeset for other databases is not run here, and so is one that is ignored
-- database: postgres-15

--changeset ann:1 dbms:oracle,mssql
DROP TABLE orders CASCADE CONSTRAINTS;

--changeset ann:2 dbms:!postgresql
DROP TABLE orders;

--changeset ann:3 ignore:true
TRUNCATE orders;

--changeset ann:4 dbms:postgresql
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text;
