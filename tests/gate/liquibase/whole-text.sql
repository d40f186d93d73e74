--liquibase formatted sql
-- claim: a function whose text is not split is read as PostgreSQL reads it
-- database: postgres-15

--changeset ann:1 splitStatements:false stripComments:false runOnChange:true
CREATE OR REPLACE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.note := 'n';
    RETURN NEW;
END $$
