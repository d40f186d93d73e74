-- claim: the code that runs now says the old name
-- database: postgres-15
-- expect: broken-code
SET lock_timeout = '5s';
ALTER TABLE orders RENAME COLUMN note TO comment;
