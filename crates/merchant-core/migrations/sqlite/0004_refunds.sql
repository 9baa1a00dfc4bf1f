-- Money that goes back. A row is there before WeChat hears of it.
CREATE TABLE refunds (
    id                    INTEGER PRIMARY KEY,
    -- The merchant's number; a number of ours for surplus; WeChat's for one made in its portal.
    out_refund_no         TEXT    NOT NULL UNIQUE,
    order_id              INTEGER NOT NULL REFERENCES orders (id),
    attempt               INTEGER NOT NULL,
    -- The attempt's number at WeChat: whose money it is.
    out_trade_no          TEXT    NOT NULL,
    origin                TEXT    NOT NULL CHECK (origin IN ('merchant', 'surplus', 'external')),
    amount_fen            INTEGER NOT NULL CHECK (amount_fen >= 1),
    reason                TEXT,
    -- What the backend asked for, to tell "the same again" from "other values".
    request               TEXT,
    -- The exact bytes that WeChat gets, each time they are sent; none for one made elsewhere.
    body                  BLOB,
    state                 TEXT    NOT NULL
                          CHECK (state IN ('requested', 'refused', 'processing', 'succeeded',
                                           'closed', 'abnormal')),
    created_ms            INTEGER NOT NULL,
    -- Since when it is in its state.
    state_ms              INTEGER NOT NULL,
    -- When it was last sent, written before it is: from here on WeChat may know it.
    sent_ms               INTEGER,
    -- How often WeChat refused it.
    refusals              INTEGER NOT NULL DEFAULT 0,
    -- How often an abnormal one was sent another way.
    applications          INTEGER NOT NULL DEFAULT 0,
    -- WeChat's number of the refund.
    refund_id             TEXT,
    payer_refund_fen      INTEGER,
    user_received_account TEXT,
    success_time          TEXT,
    -- Why WeChat did not take it at the last try, in WeChat's words.
    wechat_code           TEXT,
    wechat_message        TEXT,
    FOREIGN KEY (order_id, attempt) REFERENCES attempts (order_id, number)
) STRICT;
CREATE INDEX refunds_by_payment ON refunds (out_trade_no);
CREATE INDEX refunds_by_order ON refunds (order_id);

-- What WeChat said of a refund that does not fit what we know: it waits for a person.
CREATE TABLE refund_mismatches (
    out_refund_no TEXT    NOT NULL,
    refund_id     TEXT    NOT NULL,
    -- What differs, in one word.
    reason        TEXT    NOT NULL,
    -- What WeChat said, as JSON.
    resource      TEXT    NOT NULL,
    received_ms   INTEGER NOT NULL,
    queried_ms    INTEGER,
    query_answer  TEXT,
    PRIMARY KEY (out_refund_no, refund_id, reason)
) STRICT;

-- What reached the buyer again of the payment that settled the order.
ALTER TABLE orders ADD COLUMN refunded_fen INTEGER NOT NULL DEFAULT 0;
-- WeChat called the payment refunded, and no refund in this ledger explains it.
ALTER TABLE attempts ADD COLUMN refund_seen_ms INTEGER;
ALTER TABLE notifications ADD COLUMN out_refund_no TEXT;
