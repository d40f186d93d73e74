-- claim: since 12 an index is rebuilt beside itself
-- database: postgres-12 postgres-18
SET lock_timeout = '5s';
REINDEX INDEX CONCURRENTLY orders_note_idx;
