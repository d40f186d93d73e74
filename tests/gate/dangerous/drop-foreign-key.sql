-- claim: dropping a foreign key locks the parent as well, against readers too
-- database: postgres-15
-- expect: lock-timeout
ALTER TABLE items DROP CONSTRAINT items_order_fk;
