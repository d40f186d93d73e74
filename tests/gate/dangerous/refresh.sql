-- claim: whoever reads the materialized view waits until it is made anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
REFRESH MATERIALIZED VIEW totals;
