-- claim: a label is a number: the table is written anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN feeling TYPE text;
