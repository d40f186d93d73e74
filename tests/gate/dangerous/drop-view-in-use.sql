-- claim: a view is made of it
-- database: postgres-15
-- expect: data-loss, will-fail
SET lock_timeout = '5s';
DROP TABLE shown;
