-- claim: a new table that refers to a busy one locks that one, and waits for it without an end
--   (squawk and pgfence find nothing)
-- database: postgres-15
-- expect: lock-timeout
CREATE TABLE refunds (id bigint PRIMARY KEY, order_id integer REFERENCES orders (id));
