-- claim: the index is there already: the constraint is an entry in the catalogue
-- database: postgres-15
-- before: CREATE UNIQUE INDEX customers_name_idx ON customers (name);
SET lock_timeout = '5s';
ALTER TABLE customers ADD CONSTRAINT customers_name_key UNIQUE USING INDEX customers_name_idx;
