--liquibase formatted sql
-- claim: with an end of its own a body keeps its semicolons
-- database: mysql-8.4 mariadb-10.11

--changeset ann:1 endDelimiter://
CREATE PROCEDURE tidy() BEGIN
    UPDATE countries SET name = trim(name) WHERE code = 'DE';
    UPDATE countries SET name = trim(name) WHERE code = 'FR';
END//
