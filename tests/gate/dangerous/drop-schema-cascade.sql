-- claim: everything in it goes, and nothing here says what that is
-- database: postgres-15
-- before: CREATE SCHEMA archive;
-- before: CREATE TABLE archive.old (id bigint PRIMARY KEY);
-- expect: cascade, data-loss
SET lock_timeout = '5s';
DROP SCHEMA archive CASCADE;
