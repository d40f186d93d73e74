-- claim: the table is written anew while nobody reads it (squawk 2.70 finds nothing)
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
CLUSTER orders USING orders_pkey;
