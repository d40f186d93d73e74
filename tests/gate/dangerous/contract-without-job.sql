-- claim: a clean-up names the job that moved the data
-- database: postgres-15
-- expect: phase
SET lock_timeout = '5s';
-- backstop: phase contract of no-boundaries.sql
ALTER TABLE orders DROP COLUMN note;
