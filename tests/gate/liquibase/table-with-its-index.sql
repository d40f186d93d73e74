--liquibase formatted sql
-- claim: nobody waits for a table that is made in the same changeset
-- database: postgres-15 mysql-8.4

--changeset ann:1 dbms:postgresql
CREATE TABLE refunds (id bigint PRIMARY KEY, note text);
CREATE INDEX refunds_note_idx ON refunds (note);
