-- claim: one statement over a large table cannot be stopped half-way or throttled
-- database: postgres-15
-- expect: data-change
DELETE FROM audit_log WHERE at < '2020-01-01';
