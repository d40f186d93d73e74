-- claim: MariaDB says with the statement how long it waits
-- database: mariadb-10.11
ALTER TABLE customers WAIT 5 ADD COLUMN source varchar(20);
