-- claim: the parent alone gets its entry; the parts are built one by one and attached
-- database: postgres-11 postgres-18
SET lock_timeout = '5s';
CREATE INDEX events_kind_idx ON ONLY events (kind);
