--liquibase formatted sql
-- claim: the lines of a rollback are not run; that nobody has tried the way back is said
-- database: postgres-15
-- expect: down-migration

--changeset ann:1
--comment: where an order came from
--preconditions onFail:MARK_RAN
--precondition-sql-check expectedResult:0 SELECT count(*) FROM orders WHERE remark = 'x'
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text;
--rollback ALTER TABLE orders DROP COLUMN source;
--rollback DROP TABLE orders;
