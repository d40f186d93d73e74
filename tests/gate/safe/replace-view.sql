-- claim: a view is replaced in a moment
-- database: postgres-15
SET lock_timeout = '5s';
CREATE OR REPLACE VIEW shown_names AS SELECT name FROM shown;
