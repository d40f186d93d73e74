-- claim: the first half of a change only adds
-- database: postgres-15
SET lock_timeout = '5s';
-- backstop: phase expand
ALTER TABLE orders ADD COLUMN note_text text;
