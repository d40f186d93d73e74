-- claim: DETACH CONCURRENTLY came with 14
-- database: postgres-13
-- expect: will-fail
SET lock_timeout = '5s';
ALTER TABLE events DETACH PARTITION events_2026 CONCURRENTLY;
