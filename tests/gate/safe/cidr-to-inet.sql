-- claim: both are stored alike
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN net TYPE inet;
