-- Rows that could not be written, and that the cursor has passed.
ALTER TABLE checkpoint ADD COLUMN rows_quarantined INTEGER NOT NULL DEFAULT 0;
