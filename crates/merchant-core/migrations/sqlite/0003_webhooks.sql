-- What the merchant's backend is to be told, written in the same transaction as what happened.
CREATE TABLE webhooks (
    -- Made of what happened, so that telling it twice is one row.
    id           TEXT    PRIMARY KEY,
    event_type   TEXT    NOT NULL,
    -- The exact bytes that are sent, each time.
    body         BLOB    NOT NULL,
    created_ms   INTEGER NOT NULL,
    state        TEXT    NOT NULL DEFAULT 'pending'
                 CHECK (state IN ('pending', 'delivered', 'failed')),
    tries        INTEGER NOT NULL DEFAULT 0,
    last_outcome TEXT
) STRICT;
CREATE INDEX webhooks_by_time ON webhooks (created_ms);

-- The targets that have taken a message.
CREATE TABLE webhook_deliveries (
    webhook_id   TEXT    NOT NULL REFERENCES webhooks (id),
    target       TEXT    NOT NULL,
    delivered_ms INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, target)
) STRICT;
