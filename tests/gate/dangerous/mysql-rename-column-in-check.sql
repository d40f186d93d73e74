-- claim: MySQL renames no column that a check names
-- database: mysql-8.4
-- before: ALTER TABLE customers ADD CONSTRAINT city_there CHECK (city <> '');
-- expect: broken-code, will-fail
SET SESSION lock_wait_timeout = 5;
ALTER TABLE customers RENAME COLUMN city TO town;
