CREATE TABLE t (id {{id}}, created_at timestamp, old integer);
