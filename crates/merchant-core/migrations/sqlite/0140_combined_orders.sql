-- Combined orders (合单支付): the buyer pays several sub-orders at once, and each is a payment of its own at
-- WeChat. Of a combined attempt, out_trade_no is combine_out_trade_no, and transaction_id is that of its first
-- sub-order.
ALTER TABLE attempts ADD COLUMN is_combined INTEGER NOT NULL DEFAULT 0;

-- The sub-orders as the order was created with them.
CREATE TABLE sub_orders (
    merchant     INTEGER NOT NULL,
    order_id     INTEGER NOT NULL REFERENCES orders (id),
    -- From 1, as the backend gave them.
    place        INTEGER NOT NULL CHECK (place >= 1),
    -- The merchant's number.
    sub_order_no TEXT    NOT NULL,
    sub_mchid    TEXT,
    amount_fen   INTEGER NOT NULL CHECK (amount_fen >= 1),
    description  TEXT    NOT NULL,
    attach       TEXT,
    PRIMARY KEY (order_id, place),
    UNIQUE (order_id, sub_order_no)
) STRICT;
CREATE INDEX sub_orders_by_sub_merchant ON sub_orders (merchant, sub_mchid) WHERE sub_mchid IS NOT NULL;

-- Each sub-order in each attempt. A row is written with its attempt, before WeChat gets the call.
CREATE TABLE sub_payments (
    id              INTEGER PRIMARY KEY,
    merchant        INTEGER NOT NULL,
    order_id        INTEGER NOT NULL,
    attempt         INTEGER NOT NULL,
    place           INTEGER NOT NULL,
    -- Its number at WeChat.
    out_trade_no    TEXT    NOT NULL,
    -- What WeChat reported of its payment.
    transaction_id  TEXT,
    payer_total_fen INTEGER,
    bank_type       TEXT,
    success_time    TEXT,
    -- The same as a time: a day's bill is compared by it.
    success_ms      INTEGER,
    -- WeChat called it refunded, and no refund in this ledger explains it.
    refund_seen_ms  INTEGER,
    FOREIGN KEY (order_id, attempt) REFERENCES attempts (order_id, number),
    FOREIGN KEY (order_id, place) REFERENCES sub_orders (order_id, place),
    UNIQUE (order_id, attempt, place),
    UNIQUE (merchant, out_trade_no)
) STRICT;
CREATE INDEX sub_payments_by_transaction ON sub_payments (merchant, transaction_id)
    WHERE transaction_id IS NOT NULL;
CREATE INDEX sub_payments_by_success ON sub_payments (merchant, success_ms)
    WHERE success_ms IS NOT NULL;

-- The refunded sub-order, by the merchant's number.
ALTER TABLE refunds ADD COLUMN sub_order_no TEXT;
