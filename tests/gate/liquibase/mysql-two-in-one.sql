--liquibase formatted sql
-- claim: two DDL in one changeset may happen by half, and running it again fails at the first
-- database: mysql-8.4 mariadb-10.11
-- expect: transaction-boundaries

--changeset ann:1
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers ADD COLUMN a int;
ALTER TABLE orders ADD COLUMN b int;
