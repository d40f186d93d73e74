-- claim: beside a default partition nothing is detached concurrently
-- database: postgres-14 postgres-18
-- expect: will-fail
SET lock_timeout = '5s';
ALTER TABLE readings DETACH PARTITION readings_2026 CONCURRENTLY;
