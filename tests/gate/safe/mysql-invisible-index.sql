-- claim: an index is tried without before it is dropped
-- database: mysql-8.4
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders ALTER INDEX by_note INVISIBLE;
