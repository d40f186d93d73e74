-- claim: a table of 200 rows is written anew in no time
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE countries ALTER COLUMN name TYPE varchar(100);
