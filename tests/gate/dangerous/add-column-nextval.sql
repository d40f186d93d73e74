-- claim: a number for each row writes the table anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN ticket bigint DEFAULT nextval('tickets');
