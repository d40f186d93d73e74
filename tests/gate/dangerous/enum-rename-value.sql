-- claim: no table is locked, and the code that says the old label fails
-- database: postgres-15
-- expect: broken-code
ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';
