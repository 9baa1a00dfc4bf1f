-- What was sent to buyers of mini-programs (发货信息管理). A row is there before WeChat hears of it.
CREATE TABLE shippings (
    merchant   BIGINT NOT NULL,
    order_id   BIGINT NOT NULL REFERENCES orders (id),
    number     BIGINT NOT NULL CHECK (number >= 1),
    -- What the backend gave, with masked telephone numbers.
    request    TEXT NOT NULL,
    -- The exact bytes that WeChat gets, each time they are sent.
    body       BYTEA NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('requested', 'uploaded', 'refused')),
    created_ms BIGINT NOT NULL,
    state_ms   BIGINT NOT NULL,
    -- The time that WeChat is told; it grows from one shipping of an order to the next.
    upload_ms  BIGINT NOT NULL,
    errcode    BIGINT,
    errmsg     TEXT,
    PRIMARY KEY (order_id, number)
);
