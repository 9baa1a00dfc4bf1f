-- Profit sharing (分账): shares of payments, releases of what is left, and returns of shared money. A row
-- is written before WeChat gets the call.
CREATE TABLE shares (
    id              INTEGER PRIMARY KEY,
    merchant        INTEGER NOT NULL,
    -- The merchant's number at WeChat: out_order_no, or out_return_no of a return.
    number          TEXT    NOT NULL,
    kind            TEXT    NOT NULL
                    CHECK (kind IN ('share', 'share_and_unfreeze', 'unfreeze', 'return')),
    order_id        INTEGER NOT NULL REFERENCES orders (id),
    -- The payment's numbers: the merchant's and WeChat's.
    out_trade_no    TEXT    NOT NULL,
    transaction_id  TEXT    NOT NULL,
    -- The number of the share that a return takes from.
    share_number    TEXT CHECK ((share_number IS NULL) = (kind <> 'return')),
    -- What the receivers get together; 0 for a release.
    amount_fen      INTEGER NOT NULL CHECK (amount_fen >= 0),
    -- Each receiver with its amount and its result, as JSON.
    receivers       TEXT    NOT NULL,
    -- The backend's request in one canonical form, to compare a repeated request.
    request         TEXT    NOT NULL,
    -- The exact bytes that WeChat gets, each time they are sent.
    body            BLOB    NOT NULL,
    state           TEXT    NOT NULL
                    CHECK (state IN ('requested', 'refused', 'processing', 'finished')),
    created_ms      INTEGER NOT NULL,
    state_ms        INTEGER NOT NULL,
    -- When it was last sent; NULL: never.
    sent_ms         INTEGER,
    refusals        INTEGER NOT NULL DEFAULT 0,
    -- WeChat's number: order_id, or return_id of a return.
    wechat_number   TEXT,
    wechat_code     TEXT,
    wechat_message  TEXT,
    UNIQUE (merchant, number)
) STRICT;
CREATE INDEX shares_by_order ON shares (order_id);
CREATE INDEX shares_by_payment ON shares (merchant, out_trade_no);
