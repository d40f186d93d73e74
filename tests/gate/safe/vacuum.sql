-- claim: a plain VACUUM locks out nobody who reads or writes
-- database: postgres-15
VACUUM orders;
