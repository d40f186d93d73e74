-- claim: a label of one enum is no label of another: the table is written anew
-- database: postgres-15
-- before: CREATE TYPE tone AS ENUM ('sad', 'happy');
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN feeling TYPE tone USING feeling::text::tone;
