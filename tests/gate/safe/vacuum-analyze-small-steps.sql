-- claim: statistics of a column are gathered beside everybody
-- database: postgres-15
ANALYZE orders (note);
