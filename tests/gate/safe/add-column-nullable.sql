-- claim: a column without a default is one entry in the catalogue, on every version
-- database: postgres-10 postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN source text;
