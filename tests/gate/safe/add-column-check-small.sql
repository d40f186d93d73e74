-- claim: 200 rows are checked in no time
-- database: postgres-15
SET lock_timeout = '5s';
ALTER TABLE countries ADD COLUMN rank integer DEFAULT 1 CHECK (rank > 0);
