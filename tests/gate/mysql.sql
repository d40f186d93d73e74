CREATE TABLE countries (code char(2) NOT NULL PRIMARY KEY, name varchar(100)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE customers (id bigint NOT NULL PRIMARY KEY, name varchar(100), city varchar(50)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE orders (
    id int NOT NULL PRIMARY KEY,
    customer_id bigint,
    total int,
    amount int NOT NULL DEFAULT 1,
    note varchar(20),
    remark varchar(100),
    body text,
    price decimal(10, 2),
    state enum('new', 'paid'),
    twice int GENERATED ALWAYS AS (amount * 2) VIRTUAL,
    KEY by_note (note),
    KEY by_customer (customer_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE items (
    id bigint NOT NULL PRIMARY KEY,
    order_id int,
    CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES orders (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE texts (id bigint NOT NULL PRIMARY KEY, said text, FULLTEXT KEY words (said)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE old (id int NOT NULL PRIMARY KEY, name varchar(20)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3;
