-- claim: the default partition is searched for rows that belong to the new one, under a lock
-- database: postgres-15
-- before: ALTER TABLE readings_2027 ADD CONSTRAINT in_2027 CHECK (at >= '2027-01-01' AND at < '2028-01-01');
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE readings ATTACH PARTITION readings_2027 FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
