-- claim: two bytes become four: the table is written anew
-- database: postgres-15
-- before: CREATE TABLE small_ones (id bigint PRIMARY KEY, n smallint);
-- sizes: small_ones=40000000
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE small_ones ALTER COLUMN n TYPE integer;
