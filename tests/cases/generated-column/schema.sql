CREATE TABLE t (id {{id}}, a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);
