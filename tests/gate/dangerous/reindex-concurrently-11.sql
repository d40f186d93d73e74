-- claim: REINDEX CONCURRENTLY came with 12
-- database: postgres-11
-- expect: will-fail
SET lock_timeout = '5s';
REINDEX INDEX CONCURRENTLY orders_note_idx;
