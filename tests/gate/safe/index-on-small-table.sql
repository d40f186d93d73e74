-- claim: 200 rows are indexed in no time
-- database: postgres-15
SET lock_timeout = '5s';
CREATE INDEX countries_name_idx ON countries (name);
