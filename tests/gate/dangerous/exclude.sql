-- claim: an exclusion constraint has no way around its index (squawk advises NOT VALID, which is
--   impossible)
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
ALTER TABLE audit_log ADD CONSTRAINT one_at_a_time EXCLUDE USING gist (at WITH =);
