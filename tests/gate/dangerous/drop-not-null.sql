-- claim: the code that runs now counts on a value
-- database: postgres-15
-- before: ALTER TABLE items ALTER COLUMN order_id SET NOT NULL;
-- expect: broken-code
SET lock_timeout = '5s';
ALTER TABLE items ALTER COLUMN order_id DROP NOT NULL;
