-- claim: a runner that opens a transaction for the file says where it begins and ends
-- database: postgres-15
-- runner: flyway
CREATE TABLE refunds (id bigint PRIMARY KEY, note text);
CREATE INDEX refunds_note_idx ON refunds (note);
