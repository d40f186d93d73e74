-- claim: a new column holds only NULL, which refers to nothing: the key is there at once, and no
--   row is looked at (squawk 2.70 says that it scans)
-- database: postgres-12 postgres-18
SET lock_timeout = '5s';
ALTER TABLE orders ADD COLUMN country char(2) REFERENCES countries (code);
