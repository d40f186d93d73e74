-- claim: behind one long query it waits without an end, and everybody behind it
-- database: postgres-15
-- expect: lock-timeout
ALTER TABLE orders ADD COLUMN source text;
