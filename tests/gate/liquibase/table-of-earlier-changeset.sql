--liquibase formatted sql
-- claim: what an earlier changeset made is live when a later one runs, be it years later
-- database: postgres-15
-- expect: long-lock

--changeset ann:1
CREATE TABLE refunds (id bigint PRIMARY KEY, note text);

--changeset ann:2
SET lock_timeout = '5s';
CREATE INDEX refunds_note_idx ON refunds (note);
