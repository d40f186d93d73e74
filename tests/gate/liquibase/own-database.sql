--liquibase formatted sql
-- claim: a changeset for this database, or under a context that may be asked for, is run
-- database: mysql-8.4 mariadb-10.11
-- expect: data-loss

--changeset ann:1 dbms:mysql,mariadb context:cleanup labels:late
SET SESSION lock_wait_timeout = 5;
TRUNCATE TABLE items;
