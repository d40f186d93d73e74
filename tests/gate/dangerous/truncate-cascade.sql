-- claim: tables that refer to it are emptied as well
-- database: postgres-15
-- expect: cascade, data-loss
SET lock_timeout = '5s';
TRUNCATE orders CASCADE;
