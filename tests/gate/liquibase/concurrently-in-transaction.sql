--liquibase formatted sql
-- claim: the mark of one changeset is none for the next, which has a transaction
-- database: postgres-15
-- runner: liquibase
-- expect: will-fail

--changeset ann:1 runInTransaction:false
CREATE INDEX CONCURRENTLY orders_code_idx ON orders (code);

--changeset ann:2
CREATE INDEX CONCURRENTLY orders_remark_idx ON orders (remark);
