-- Sessions of the desk (/desk). Of a token only the SHA-256 is kept. A session counts for as long as the
-- configuration has its key.
CREATE TABLE desk_sessions (
    token_sha256 TEXT    PRIMARY KEY,
    merchant     INTEGER NOT NULL,
    -- Which API key signed in: a hash of the configured hash.
    key_mark     TEXT    NOT NULL,
    begun_ms     INTEGER NOT NULL,
    seen_ms      INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_sessions_by_begin ON desk_sessions (begun_ms);

-- Who did what at the desk. Rows are only added; the outcome is written once the action has ended.
CREATE TABLE desk_actions (
    id       INTEGER PRIMARY KEY,
    merchant INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    -- The name of the API key.
    key_name TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    order_no TEXT,
    -- The refund, message or mismatch that it was about.
    subject  TEXT,
    -- NULL: it is not known whether it took effect.
    outcome  TEXT
) STRICT;
CREATE INDEX desk_actions_by_merchant ON desk_actions (merchant, id);
CREATE INDEX desk_actions_by_order ON desk_actions (merchant, order_no) WHERE order_no IS NOT NULL;

-- What people at the desk search and count by.
CREATE INDEX orders_by_created ON orders (merchant, created_ms);
CREATE INDEX notifications_by_payment ON notifications (merchant, out_trade_no);
