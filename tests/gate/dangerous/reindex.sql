-- claim: writes wait, and reads through the index, while it is built anew
-- database: postgres-15
-- expect: long-lock
SET lock_timeout = '5s';
REINDEX INDEX orders_note_idx;
