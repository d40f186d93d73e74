-- claim: the same inside of a block, where most checkers see nothing
-- database: postgres-15
-- expect: data-change
SET lock_timeout = '5s';
DO $$ BEGIN
    ALTER TABLE orders ADD COLUMN source text;
    UPDATE orders SET source = 'web';
END $$;
