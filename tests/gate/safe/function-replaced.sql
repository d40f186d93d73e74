-- claim: a function is text in the catalogue
-- database: postgres-15
CREATE OR REPLACE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := 'n'; RETURN NEW; END $$;
