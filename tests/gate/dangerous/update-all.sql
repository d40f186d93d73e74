-- claim: one statement over a large table cannot be stopped half-way or throttled
-- database: postgres-15
-- expect: data-change
UPDATE orders SET remark = '' WHERE remark IS NULL;
