-- claim: another collation without an index on the column writes and reads nothing
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE customers ALTER COLUMN name TYPE text COLLATE "C";
