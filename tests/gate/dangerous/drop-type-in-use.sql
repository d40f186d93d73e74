-- claim: a column is of that type
-- database: postgres-15
-- expect: will-fail
SET lock_timeout = '5s';
DROP TYPE mood;
