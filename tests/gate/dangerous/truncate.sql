-- claim: every row is lost (squawk 2.70 finds nothing)
-- database: postgres-15
-- expect: data-loss
SET lock_timeout = '5s';
TRUNCATE audit_log;
