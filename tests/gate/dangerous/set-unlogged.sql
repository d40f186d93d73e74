-- claim: the table is written anew while nobody reads it
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE audit_log SET UNLOGGED;
