-- claim: since 12 another name of an index locks out nobody who reads or writes
-- database: postgres-12 postgres-18
ALTER INDEX orders_note_idx RENAME TO orders_by_note;
