-- What was sent to buyers of mini-programs (发货信息管理). A row is there before WeChat hears of it.
CREATE TABLE shippings (
    merchant   INTEGER NOT NULL,
    order_id   INTEGER NOT NULL REFERENCES orders (id),
    number     INTEGER NOT NULL CHECK (number >= 1),
    -- What the backend gave, with masked telephone numbers.
    request    TEXT NOT NULL,
    -- The exact bytes that WeChat gets, each time they are sent.
    body       BLOB NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('requested', 'uploaded', 'refused')),
    created_ms INTEGER NOT NULL,
    state_ms   INTEGER NOT NULL,
    -- The time that WeChat is told; it grows from one shipping of an order to the next.
    upload_ms  INTEGER NOT NULL,
    errcode    INTEGER,
    errmsg     TEXT,
    PRIMARY KEY (order_id, number)
) STRICT;
