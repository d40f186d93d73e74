-- claim: no check proves the bounds: every row of the partition is looked at while nobody reads
--   it (squawk 2.70 finds nothing)
-- database: postgres-12 postgres-18
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
