CREATE TABLE words (word text NOT NULL COLLATE NOCASE, n integer NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX words_word ON words (word COLLATE BINARY);
INSERT INTO words (word) SELECT 'w' || n FROM numbers WHERE n <= 500;
INSERT INTO words (word) SELECT 'W' || n FROM numbers WHERE n <= 500
