CREATE TABLE t (id {{id}}, at timestamptz, shown text);
INSERT INTO t (at) VALUES ('2024-07-01 00:30:00+00');
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET timezone = ''Europe/Berlin''', current_database()); END $$;
