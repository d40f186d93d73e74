--liquibase formatted sql
-- claim: a rollback of several lines is a comment, and none of it is run
-- database: postgres-15

--changeset ann:1
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text;
/* liquibase rollback
ALTER TABLE orders DROP COLUMN source;
DROP TABLE orders;
*/
