-- claim: the default of a column that is there already is for rows to come, however volatile
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark SET DEFAULT gen_random_uuid()::text;
