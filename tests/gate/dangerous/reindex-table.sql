-- claim: writes wait while every index is built anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
REINDEX TABLE orders;
