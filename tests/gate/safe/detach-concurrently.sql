-- claim: since 14 a partition leaves while everybody reads and writes the others
-- database: postgres-14 postgres-18
SET lock_timeout = '5s';
ALTER TABLE events DETACH PARTITION events_2026 CONCURRENTLY;
