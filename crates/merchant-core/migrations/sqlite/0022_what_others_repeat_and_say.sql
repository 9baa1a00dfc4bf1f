-- Notifications that WeChat signed and that this version does not understand, or has nothing to do
-- for. They are kept whole until a person has looked at them.
CREATE TABLE kept_notifications (
    -- WeChat's id of the notification.
    id             TEXT    PRIMARY KEY,
    event_type     TEXT    NOT NULL,
    -- Why it is kept, in one word.
    reason         TEXT    NOT NULL,
    -- The path of the field that was not understood, where it is one field.
    field          TEXT,
    -- The numbers in it, as far as they can be read.
    out_trade_no   TEXT,
    transaction_id TEXT,
    out_refund_no  TEXT,
    refund_id      TEXT,
    sub_mchid      TEXT,
    -- All of it, as WeChat wrote it.
    resource       TEXT    NOT NULL,
    received_ms    INTEGER NOT NULL,
    queried_ms     INTEGER,
    query_answer   TEXT,
    -- From the same sequence as the mismatches.
    no             INTEGER NOT NULL UNIQUE,
    done_ms        INTEGER,
    note           TEXT
) STRICT;
CREATE INDEX kept_notifications_by_payment ON kept_notifications (out_trade_no);
CREATE INDEX kept_notifications_by_refund ON kept_notifications (out_refund_no);

-- WeChat's browser asks for the address of the callback twice. The second call gets the same
-- answer, if it brings the same code.
ALTER TABLE oauth_states ADD COLUMN code_sha256 TEXT;
ALTER TABLE oauth_states ADD COLUMN handle TEXT;
