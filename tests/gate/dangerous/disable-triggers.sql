-- claim: writes wait, and rows come in that no trigger has seen
-- database: postgres-15
-- expect: lock-timeout
ALTER TABLE orders DISABLE TRIGGER ALL;
