-- claim: over columns that are NOT NULL the key is an entry in the catalogue
-- database: postgres-15
-- before: CREATE TABLE lonely (id bigint NOT NULL, name text);
-- before: CREATE UNIQUE INDEX lonely_id_idx ON lonely (id);
-- sizes: lonely=70000000
SET lock_timeout = '5s';
ALTER TABLE lonely ADD CONSTRAINT lonely_pkey PRIMARY KEY USING INDEX lonely_id_idx;
