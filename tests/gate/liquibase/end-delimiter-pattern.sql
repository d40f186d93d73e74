--liquibase formatted sql
-- claim: where the end is a pattern, nobody here knows where a statement ends
-- database: postgres-15
-- expect: not-evaluated

--changeset ann:1 endDelimiter:(go|GO)\s*
SELECT 1 go
