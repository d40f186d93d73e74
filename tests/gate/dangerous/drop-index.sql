-- claim: dropping an index locks its table against readers
-- database: postgres-15
-- expect: lock-timeout
DROP INDEX orders_title_idx;
