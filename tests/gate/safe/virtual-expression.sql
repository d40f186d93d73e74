-- claim: since 17 an expression can be replaced; that of a virtual column is computed when it is
--   read
-- database: postgres-18
-- before: CREATE TABLE priced (id bigint PRIMARY KEY, amount integer, doubled integer GENERATED ALWAYS AS (amount * 2) VIRTUAL);
-- sizes: priced=60000000
SET lock_timeout = '5s';
ALTER TABLE priced ALTER COLUMN doubled SET EXPRESSION AS (amount * 3);
