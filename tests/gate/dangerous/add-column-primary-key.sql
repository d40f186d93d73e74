-- claim: a key of numbers writes the table anew and builds an index
-- database: postgres-15
-- before: CREATE TABLE lonely (name text);
-- sizes: lonely=60000000
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE lonely ADD COLUMN id bigserial PRIMARY KEY;
