--liquibase formatted sql
-- claim: a line that is `go` or `/` ends a statement as a semicolon does
-- database: postgres-15
-- expect: data-loss

--changeset ann:1
SET lock_timeout = '5s'
go
TRUNCATE audit_log
/
