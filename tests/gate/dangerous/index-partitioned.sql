-- claim: a partitioned table takes no index concurrently (squawk's own fix writes this)
-- database: postgres-11 postgres-18
-- expect: will-fail
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY events_kind_idx ON events (kind);
