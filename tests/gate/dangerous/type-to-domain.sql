-- claim: the check of the domain is verified on every row: the table is written anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN remark TYPE email;
