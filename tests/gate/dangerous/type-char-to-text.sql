-- claim: char pads, text does not: the table is written anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN code TYPE text;
