-- claim: whoever reads the materialized view goes on reading; nobody else writes one
-- database: postgres-15
SET lock_timeout = '5s';
REFRESH MATERIALIZED VIEW CONCURRENTLY totals;
