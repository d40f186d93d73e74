-- claim: a partition that is made in place locks the parent against readers (nobody flags it)
-- database: postgres-15
-- expect: lock-timeout
CREATE TABLE events_2028 PARTITION OF events FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
