--liquibase formatted sql
-- claim: what stands behind such an end is a statement of its own
-- database: mysql-8.4 mariadb-10.11
-- expect: data-loss

--changeset ann:1 endDelimiter:/
SET SESSION lock_wait_timeout = 5
/
SELECT 10 / 2
/
TRUNCATE TABLE items
/
