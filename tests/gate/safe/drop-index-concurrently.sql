-- claim: dropped concurrently, an index goes when nobody uses it any more
-- database: postgres-15
SET lock_timeout = '5s';
DROP INDEX CONCURRENTLY orders_title_idx;
