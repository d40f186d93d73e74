-- claim: the index is built, and NOT NULL looked for, while nobody reads or writes
-- database: postgres-15
-- before: CREATE TABLE lonely (id bigint, name text);
-- sizes: lonely=60000000
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE lonely ADD PRIMARY KEY (id);
