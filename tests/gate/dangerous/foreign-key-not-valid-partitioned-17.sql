-- claim: before 18 a partitioned table takes no NOT VALID: the advice of every checker fails
-- database: postgres-12 postgres-17
-- before: ALTER TABLE countries ALTER code TYPE text;
-- expect: will-fail
SET lock_timeout = '5s';
ALTER TABLE events ADD CONSTRAINT events_country_fk FOREIGN KEY (kind) REFERENCES countries (code) NOT VALID;
