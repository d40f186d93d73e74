-- claim: ANALYZE reads a sample and locks out nobody
-- database: postgres-15
ANALYZE orders;
