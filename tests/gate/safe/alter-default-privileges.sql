-- claim: rights of tables to come touch none that is there
-- database: postgres-15
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
