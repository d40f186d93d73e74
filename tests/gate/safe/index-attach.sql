-- claim: an index that is there becomes a part of the parent's
-- database: postgres-11 postgres-18
-- before: CREATE INDEX events_kind_idx ON ONLY events (kind);
-- before: CREATE INDEX events_2026_kind_idx ON events_2026 (kind);
SET lock_timeout = '5s';
ALTER INDEX events_kind_idx ATTACH PARTITION events_2026_kind_idx;
