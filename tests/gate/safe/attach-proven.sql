-- claim: a valid check proves the bounds, so no row of the partition is looked at
-- database: postgres-12 postgres-18
-- before: ALTER TABLE events_2027 ADD CONSTRAINT in_2027 CHECK (at >= '2027-01-01' AND at < '2028-01-01');
SET lock_timeout = '5s';
ALTER TABLE events ATTACH PARTITION events_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
