-- claim: text becomes a tree: the table is written anew
-- database: postgres-15
-- before: CREATE TABLE documents (id bigint PRIMARY KEY, body json);
-- sizes: documents=40000000
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE documents ALTER COLUMN body TYPE jsonb;
