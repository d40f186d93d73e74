-- claim: a column that is NOT NULL already is not looked at again
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN id SET NOT NULL;
