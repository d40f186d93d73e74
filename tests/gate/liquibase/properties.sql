--liquibase formatted sql
-- claim: a property is filled in where it is named, and what the statement does is then known
-- database: postgres-15
-- expect: long-lock

--property name:table.name value:orders dbms:postgresql
--property name:table.name value:bestellung dbms:oracle

--changeset ann:1
SET lock_timeout = '5s';
CREATE INDEX ${table.name}_customer_idx ON ${table.name} (customer_id);
