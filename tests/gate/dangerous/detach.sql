-- claim: the parent is locked against readers
-- database: postgres-15
-- expect: lock-timeout
ALTER TABLE events DETACH PARTITION events_2026;
