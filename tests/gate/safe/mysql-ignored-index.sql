-- claim: an index is tried without before it is dropped
-- database: mariadb-10.11
SET SESSION lock_wait_timeout = 5;
ALTER TABLE orders ALTER INDEX by_note IGNORED;
