-- Whether the halt in the target binds every job there, so that only it can be lifted.
ALTER TABLE latch ADD COLUMN halts_all INTEGER NOT NULL DEFAULT 0;
