-- no-transaction
-- claim: a runner that was told to open no transaction runs it alone
-- database: postgres-15
-- runner: sqlx
SET lock_timeout = '5s';
CREATE INDEX CONCURRENTLY orders_customer_idx ON orders (customer_id);
