CREATE SCHEMA "Sales";
CREATE TABLE "Sales"."user" (id {{id}}, a integer);
INSERT INTO "Sales"."user" (a) VALUES (NULL), (NULL);
CREATE TABLE "user" (id {{id}}, a integer);
INSERT INTO "user" (a) VALUES (NULL);
