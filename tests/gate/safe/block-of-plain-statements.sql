-- claim: a block whose statements stand there as text is read like them
-- database: postgres-15
SET lock_timeout = '5s';
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attname = 'source') THEN
        ALTER TABLE orders ADD COLUMN source text;
    END IF;
END $$;
