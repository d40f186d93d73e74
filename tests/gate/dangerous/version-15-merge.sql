-- claim: MERGE came with 15
-- database: postgres-14
-- expect: will-fail
MERGE INTO countries c USING customers s ON c.code = s.country WHEN MATCHED THEN UPDATE SET name = s.name;
