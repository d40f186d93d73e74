-- claim: rights are entries in the catalogue, also where 18 opens the table for it
-- database: postgres-15 postgres-18
GRANT SELECT ON orders TO PUBLIC;
