-- claim: a column that a view shows takes no other type
-- database: postgres-15
-- expect: will-fail
SET lock_timeout = '5s';
ALTER TABLE shown ALTER COLUMN name TYPE varchar(20);
