-- claim: the second half names the first and the job that moved the data, which is verified
-- database: postgres-15
-- job: orders-note
SET lock_timeout = '5s';
-- backstop: phase contract of expand.sql job=orders-note
ALTER TABLE orders DROP COLUMN note;
