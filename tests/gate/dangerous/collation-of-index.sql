-- claim: another collation keeps the rows, and builds each index of the column anew under the
--   lock (what compares the table's file sees nothing)
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE orders ALTER COLUMN title TYPE text COLLATE "POSIX";
