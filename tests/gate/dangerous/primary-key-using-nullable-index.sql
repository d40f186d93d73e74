-- claim: over a column that may be NULL every row is looked at (squawk recommends exactly this)
-- database: postgres-15
-- before: CREATE TABLE lonely (id bigint, name text);
-- before: CREATE UNIQUE INDEX lonely_id_idx ON lonely (id);
-- sizes: lonely=70000000
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE lonely ADD CONSTRAINT lonely_pkey PRIMARY KEY USING INDEX lonely_id_idx;
