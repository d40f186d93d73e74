-- claim: nobody waits for a table that is made in the same transaction
-- database: postgres-15
BEGIN;
CREATE TABLE refunds (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);
CREATE INDEX refunds_note_idx ON refunds (note);
ALTER TABLE refunds ADD CONSTRAINT note_there CHECK (note IS NOT NULL);
COMMIT;
