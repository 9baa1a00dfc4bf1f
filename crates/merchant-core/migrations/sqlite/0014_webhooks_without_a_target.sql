-- A message that nobody is configured for has not failed: it is unaddressed, and can be sent once
-- there is a target. SQLite changes a CHECK by making the table anew.
CREATE TABLE new_webhooks (
    -- Made of what happened, so that telling it twice is one row.
    id           TEXT    PRIMARY KEY,
    event_type   TEXT    NOT NULL,
    -- The exact bytes that are sent, each time.
    body         BLOB    NOT NULL,
    created_ms   INTEGER NOT NULL,
    state        TEXT    NOT NULL DEFAULT 'pending'
                 CHECK (state IN ('pending', 'delivered', 'failed', 'unaddressed')),
    tries        INTEGER NOT NULL DEFAULT 0,
    last_outcome TEXT
) STRICT;
INSERT INTO new_webhooks (id, event_type, body, created_ms, state, tries, last_outcome)
SELECT id, event_type, body, created_ms,
       CASE WHEN state = 'failed' AND last_outcome = 'no target is configured'
            THEN 'unaddressed' ELSE state END,
       tries, last_outcome
FROM webhooks;
CREATE TABLE new_webhook_deliveries (
    webhook_id   TEXT    NOT NULL REFERENCES new_webhooks (id),
    target       TEXT    NOT NULL,
    delivered_ms INTEGER NOT NULL,
    PRIMARY KEY (webhook_id, target)
) STRICT;
INSERT INTO new_webhook_deliveries (webhook_id, target, delivered_ms)
SELECT webhook_id, target, delivered_ms FROM webhook_deliveries;
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;
-- The reference of the one to the other follows the name.
ALTER TABLE new_webhooks RENAME TO webhooks;
ALTER TABLE new_webhook_deliveries RENAME TO webhook_deliveries;
CREATE INDEX webhooks_by_time ON webhooks (created_ms);
CREATE INDEX webhooks_by_state ON webhooks (state, created_ms);
