-- claim: the expression of a stored column is computed anew for every row (squawk 2.70 finds
--   nothing)
-- database: postgres-17 postgres-18
-- before: CREATE TABLE priced (id bigint PRIMARY KEY, amount integer, doubled integer GENERATED ALWAYS AS (amount * 2) STORED);
-- sizes: priced=60000000
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE priced ALTER COLUMN doubled SET EXPRESSION AS (amount * 3);
