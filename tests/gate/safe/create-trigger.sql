-- claim: a trigger is made in a moment; reads go on
-- database: postgres-11 postgres-18
SET lock_timeout = '5s';
CREATE TRIGGER orders_noted BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION noted();
