-- claim: with a default the key is looked up for every row
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN country char(2) DEFAULT 'DE' REFERENCES countries (code);
