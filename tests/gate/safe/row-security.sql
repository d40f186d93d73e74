-- claim: a policy is made in a moment
-- database: postgres-15
SET lock_timeout = '5s';
CREATE POLICY own_orders ON orders USING (customer_id = 1);
