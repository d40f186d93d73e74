CREATE TABLE "Order" ("Group" integer NOT NULL PRIMARY KEY, "select" integer, "it's ""odd""" integer);
INSERT INTO "Order" VALUES (1, NULL, 5), (2, 7, 6);
