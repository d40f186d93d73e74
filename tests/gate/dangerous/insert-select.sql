-- claim: rows of a large table are copied while the lock of the change is held
-- database: postgres-15
-- expect: data-change, work-under-lock
SET lock_timeout = '5s';
BEGIN;
ALTER TABLE customers ADD COLUMN orders bigint;
INSERT INTO audit_log (id, said) SELECT id, note FROM orders;
COMMIT;
