-- Times are milliseconds since 1970 in UTC, amounts are fen.
CREATE TABLE orders (
    id              INTEGER PRIMARY KEY,
    order_no        TEXT    NOT NULL UNIQUE,
    token           TEXT    NOT NULL UNIQUE,
    -- What the backend asked for, to tell "the same again" from "other values".
    request         TEXT    NOT NULL,
    total_fen       INTEGER NOT NULL CHECK (total_fen >= 1),
    description     TEXT    NOT NULL,
    openid          TEXT,
    return_url      TEXT,
    success_url     TEXT,
    products        TEXT    NOT NULL,
    created_ms      INTEGER NOT NULL,
    expires_ms      INTEGER NOT NULL,
    state           TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paid', 'closed')),
    -- The merchant asked to close; WeChat's word is still to come.
    is_closing      INTEGER NOT NULL DEFAULT 0,
    version         INTEGER NOT NULL DEFAULT 1,
    current_attempt INTEGER NOT NULL DEFAULT 0,
    asked_ms        INTEGER,
    checked_ms      INTEGER,
    payer_total_fen INTEGER,
    success_time    TEXT
) STRICT;

CREATE TABLE attempts (
    order_id       INTEGER NOT NULL REFERENCES orders (id),
    number         INTEGER NOT NULL CHECK (number >= 1),
    product        TEXT    NOT NULL,
    out_trade_no   TEXT    NOT NULL UNIQUE,
    appid          TEXT    NOT NULL,
    -- The exact bytes that WeChat gets, each time they are sent.
    body           BLOB    NOT NULL,
    state          TEXT    NOT NULL
                   CHECK (state IN ('prepared', 'open', 'closed', 'refused', 'paid', 'surplus')),
    created_ms     INTEGER NOT NULL,
    link           TEXT,
    link_ms        INTEGER,
    -- By which the element recognises a return from h5_url.
    return_handle  TEXT    NOT NULL,
    transaction_id TEXT,
    PRIMARY KEY (order_id, number)
) STRICT;

CREATE TABLE notifications (
    id             TEXT    PRIMARY KEY,
    received_ms    INTEGER NOT NULL,
    event_type     TEXT    NOT NULL,
    out_trade_no   TEXT,
    transaction_id TEXT,
    outcome        TEXT    NOT NULL
) STRICT;

-- Rightly signed, yet not of an order of ours: real money that waits for a person.
CREATE TABLE mismatches (
    out_trade_no   TEXT    NOT NULL,
    transaction_id TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    resource       TEXT    NOT NULL,
    received_ms    INTEGER NOT NULL,
    queried_ms     INTEGER,
    query_answer   TEXT,
    PRIMARY KEY (out_trade_no, transaction_id)
) STRICT;

CREATE TABLE oauth_states (
    state      TEXT    PRIMARY KEY,
    order_id   INTEGER NOT NULL REFERENCES orders (id),
    return_url TEXT    NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms    INTEGER
) STRICT;

CREATE TABLE payer_handles (
    handle          TEXT    PRIMARY KEY,
    order_id        INTEGER NOT NULL REFERENCES orders (id),
    openid          TEXT    NOT NULL,
    expires_ms      INTEGER NOT NULL,
    -- The attempt that the handle was used for.
    used_by_attempt INTEGER
) STRICT;

CREATE TABLE due_work (
    kind    TEXT    NOT NULL,
    -- The order's id, or the out_trade_no of a mismatch.
    subject TEXT    NOT NULL,
    due_ms  INTEGER NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, subject)
) STRICT;
CREATE INDEX due_work_by_time ON due_work (due_ms);
