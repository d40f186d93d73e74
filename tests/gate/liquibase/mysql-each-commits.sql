--liquibase formatted sql
-- claim: DDL commits by itself, but each changeset is noted as run by itself: one DDL in each is enough
-- database: mysql-8.4 mariadb-10.11

--changeset ann:1
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN a int;

--changeset ann:2
ALTER TABLE orders ADD COLUMN b int;
