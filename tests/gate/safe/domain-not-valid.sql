-- claim: a constraint of a domain that is not valid yet looks at no row
-- database: postgres-15
SET lock_timeout = '5s';
ALTER DOMAIN label ADD CONSTRAINT short_one CHECK (length(VALUE) < 100) NOT VALID;
