-- A database has the ledgers of several merchants. Every number counts within one of them, so it is
-- unique together with its merchant: the number of its owner. All rows so far are the first owner's.
-- SQLite changes a key by making the table anew; tables that refer to others come after them, and go
-- before them.
CREATE TABLE new_owner (
    no          INTEGER PRIMARY KEY,
    mchid       TEXT NOT NULL UNIQUE,
    environment TEXT NOT NULL
) STRICT;
INSERT INTO new_owner (no, mchid, environment) SELECT no, mchid, environment FROM owner;
DROP TABLE owner;
ALTER TABLE new_owner RENAME TO owner;

CREATE TABLE new_orders (
    id              INTEGER PRIMARY KEY,
    merchant        INTEGER NOT NULL DEFAULT 1,
    order_no        TEXT    NOT NULL,
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
    success_time    TEXT,
    -- What reached the buyer again of the payment that settled the order.
    refunded_fen    INTEGER NOT NULL DEFAULT 0,
    -- Whom a service provider ordered for, and whose the payer's openid is.
    sub_mchid       TEXT,
    openid_is_sub   INTEGER NOT NULL DEFAULT 0,
    -- The address that an order of the payment service (wxpayserver) names for its notification.
    notify_url      TEXT,
    UNIQUE (merchant, order_no)
) STRICT;
INSERT INTO new_orders (id, order_no, token, request, total_fen, description, openid, return_url,
                        success_url, products, created_ms, expires_ms, state, is_closing, version,
                        current_attempt, asked_ms, checked_ms, payer_total_fen, success_time,
                        refunded_fen, sub_mchid, openid_is_sub, notify_url)
SELECT id, order_no, token, request, total_fen, description, openid, return_url, success_url, products,
       created_ms, expires_ms, state, is_closing, version, current_attempt, asked_ms, checked_ms,
       payer_total_fen, success_time, refunded_fen, sub_mchid, openid_is_sub, notify_url
FROM orders ORDER BY id;

CREATE TABLE new_attempts (
    merchant         INTEGER NOT NULL DEFAULT 1,
    order_id         INTEGER NOT NULL REFERENCES new_orders (id),
    number           INTEGER NOT NULL CHECK (number >= 1),
    product          TEXT    NOT NULL,
    out_trade_no     TEXT    NOT NULL,
    appid            TEXT    NOT NULL,
    -- The exact bytes that WeChat gets, each time they are sent.
    body             BLOB    NOT NULL,
    state            TEXT    NOT NULL
                     CHECK (state IN ('prepared', 'open', 'closed', 'refused', 'paid', 'surplus')),
    created_ms       INTEGER NOT NULL,
    link             TEXT,
    link_ms          INTEGER,
    -- By which the element recognises a return from h5_url.
    return_handle    TEXT    NOT NULL,
    transaction_id   TEXT,
    -- In WeChat's words, as far as it named one.
    bank_type        TEXT,
    -- WeChat called the payment refunded, and no refund in this ledger explains it.
    refund_seen_ms   INTEGER,
    sub_mchid        TEXT,
    sub_appid        TEXT,
    -- Signs the cashier's parameters; the ordering appid where absent.
    payer_appid      TEXT,
    -- What WeChat told of the payment, each attempt its own: a surplus one has its own, too.
    payer_total_fen  INTEGER,
    success_time     TEXT,
    promotion_detail TEXT,
    -- The same as a time: a day's bill is compared by it.
    success_ms       INTEGER,
    -- Which version of WeChat Pay's API made it: v3, v2-md5 or v2-hmac-sha256.
    api              TEXT    NOT NULL DEFAULT 'v3',
    PRIMARY KEY (order_id, number),
    UNIQUE (merchant, out_trade_no)
) STRICT;
INSERT INTO new_attempts (order_id, number, product, out_trade_no, appid, body, state, created_ms, link,
                          link_ms, return_handle, transaction_id, bank_type, refund_seen_ms, sub_mchid,
                          sub_appid, payer_appid, payer_total_fen, success_time, promotion_detail,
                          success_ms, api)
SELECT order_id, number, product, out_trade_no, appid, body, state, created_ms, link, link_ms,
       return_handle, transaction_id, bank_type, refund_seen_ms, sub_mchid, sub_appid, payer_appid,
       payer_total_fen, success_time, promotion_detail, success_ms, api
FROM attempts ORDER BY rowid;

CREATE TABLE new_refunds (
    id                    INTEGER PRIMARY KEY,
    merchant              INTEGER NOT NULL DEFAULT 1,
    -- The merchant's number; a number of ours for surplus; WeChat's for one made in its portal.
    out_refund_no         TEXT    NOT NULL,
    order_id              INTEGER NOT NULL REFERENCES new_orders (id),
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
    -- Which version of WeChat Pay's API made it: v3, v2-md5 or v2-hmac-sha256.
    api                   TEXT    NOT NULL DEFAULT 'v3',
    FOREIGN KEY (order_id, attempt) REFERENCES new_attempts (order_id, number),
    UNIQUE (merchant, out_refund_no)
) STRICT;
INSERT INTO new_refunds (id, out_refund_no, order_id, attempt, out_trade_no, origin, amount_fen, reason,
                         request, body, state, created_ms, state_ms, sent_ms, refusals, applications,
                         refund_id, payer_refund_fen, user_received_account, success_time, wechat_code,
                         wechat_message, api)
SELECT id, out_refund_no, order_id, attempt, out_trade_no, origin, amount_fen, reason, request, body,
       state, created_ms, state_ms, sent_ms, refusals, applications, refund_id, payer_refund_fen,
       user_received_account, success_time, wechat_code, wechat_message, api
FROM refunds ORDER BY id;

CREATE TABLE new_oauth_states (
    state       TEXT    PRIMARY KEY,
    order_id    INTEGER NOT NULL REFERENCES new_orders (id),
    return_url  TEXT    NOT NULL,
    expires_ms  INTEGER NOT NULL,
    used_ms     INTEGER,
    -- WeChat's browser asks for the address of the callback twice. The second call gets the same
    -- answer, if it brings the same code.
    code_sha256 TEXT,
    handle      TEXT
) STRICT;
INSERT INTO new_oauth_states (state, order_id, return_url, expires_ms, used_ms, code_sha256, handle)
SELECT state, order_id, return_url, expires_ms, used_ms, code_sha256, handle FROM oauth_states;

CREATE TABLE new_payer_handles (
    handle          TEXT    PRIMARY KEY,
    order_id        INTEGER NOT NULL REFERENCES new_orders (id),
    openid          TEXT    NOT NULL,
    expires_ms      INTEGER NOT NULL,
    -- The attempt that the handle was used for.
    used_by_attempt INTEGER
) STRICT;
INSERT INTO new_payer_handles (handle, order_id, openid, expires_ms, used_by_attempt)
SELECT handle, order_id, openid, expires_ms, used_by_attempt FROM payer_handles;

DROP TABLE payer_handles;
DROP TABLE oauth_states;
DROP TABLE refunds;
DROP TABLE attempts;
DROP TABLE orders;
-- The references from one to another follow the names.
ALTER TABLE new_orders RENAME TO orders;
ALTER TABLE new_attempts RENAME TO attempts;
ALTER TABLE new_refunds RENAME TO refunds;
ALTER TABLE new_oauth_states RENAME TO oauth_states;
ALTER TABLE new_payer_handles RENAME TO payer_handles;
-- Lists go by the newest first, and ask for one state or all; counts go by state.
CREATE INDEX orders_by_merchant ON orders (merchant, id);
CREATE INDEX orders_by_state ON orders (merchant, state);
CREATE INDEX attempts_by_success ON attempts (merchant, success_ms) WHERE success_ms IS NOT NULL;
CREATE INDEX refunds_by_payment ON refunds (merchant, out_trade_no);
CREATE INDEX refunds_by_order ON refunds (order_id);

CREATE TABLE new_notifications (
    merchant       INTEGER NOT NULL DEFAULT 1,
    id             TEXT    NOT NULL,
    received_ms    INTEGER NOT NULL,
    event_type     TEXT    NOT NULL,
    out_trade_no   TEXT,
    transaction_id TEXT,
    outcome        TEXT    NOT NULL,
    out_refund_no  TEXT,
    PRIMARY KEY (merchant, id)
) STRICT;
INSERT INTO new_notifications (id, received_ms, event_type, out_trade_no, transaction_id, outcome,
                               out_refund_no)
SELECT id, received_ms, event_type, out_trade_no, transaction_id, outcome, out_refund_no
FROM notifications ORDER BY rowid;
DROP TABLE notifications;
ALTER TABLE new_notifications RENAME TO notifications;

-- Rightly signed, yet not of an order of ours: real money that waits for a person.
CREATE TABLE new_mismatches (
    merchant       INTEGER NOT NULL DEFAULT 1,
    out_trade_no   TEXT    NOT NULL,
    transaction_id TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    resource       TEXT    NOT NULL,
    received_ms    INTEGER NOT NULL,
    queried_ms     INTEGER,
    query_answer   TEXT,
    -- By which WeChat is asked about it.
    sub_mchid      TEXT,
    -- One sequence of each merchant for this table and the next two.
    no             INTEGER,
    done_ms        INTEGER,
    note           TEXT,
    PRIMARY KEY (merchant, out_trade_no, transaction_id)
) STRICT;
INSERT INTO new_mismatches (out_trade_no, transaction_id, reason, resource, received_ms, queried_ms,
                            query_answer, sub_mchid, no, done_ms, note)
SELECT out_trade_no, transaction_id, reason, resource, received_ms, queried_ms, query_answer, sub_mchid,
       no, done_ms, note
FROM mismatches ORDER BY rowid;
DROP TABLE mismatches;
ALTER TABLE new_mismatches RENAME TO mismatches;
CREATE UNIQUE INDEX mismatches_by_no ON mismatches (merchant, no);

-- What WeChat said of a refund that does not fit what we know: it waits for a person.
CREATE TABLE new_refund_mismatches (
    merchant      INTEGER NOT NULL DEFAULT 1,
    out_refund_no TEXT    NOT NULL,
    refund_id     TEXT    NOT NULL,
    -- What differs, in one word.
    reason        TEXT    NOT NULL,
    -- What WeChat said, as JSON.
    resource      TEXT    NOT NULL,
    received_ms   INTEGER NOT NULL,
    queried_ms    INTEGER,
    query_answer  TEXT,
    no            INTEGER,
    done_ms       INTEGER,
    note          TEXT,
    PRIMARY KEY (merchant, out_refund_no, refund_id, reason)
) STRICT;
INSERT INTO new_refund_mismatches (out_refund_no, refund_id, reason, resource, received_ms, queried_ms,
                                   query_answer, no, done_ms, note)
SELECT out_refund_no, refund_id, reason, resource, received_ms, queried_ms, query_answer, no, done_ms,
       note
FROM refund_mismatches ORDER BY rowid;
DROP TABLE refund_mismatches;
ALTER TABLE new_refund_mismatches RENAME TO refund_mismatches;
CREATE UNIQUE INDEX refund_mismatches_by_no ON refund_mismatches (merchant, no);

-- Notifications that WeChat signed and that this version does not understand, or has nothing to do
-- for. They are kept whole until a person has looked at them.
CREATE TABLE new_kept_notifications (
    merchant       INTEGER NOT NULL DEFAULT 1,
    -- WeChat's id of the notification.
    id             TEXT    NOT NULL,
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
    no             INTEGER NOT NULL,
    done_ms        INTEGER,
    note           TEXT,
    PRIMARY KEY (merchant, id),
    UNIQUE (merchant, no)
) STRICT;
INSERT INTO new_kept_notifications (id, event_type, reason, field, out_trade_no, transaction_id,
                                    out_refund_no, refund_id, sub_mchid, resource, received_ms,
                                    queried_ms, query_answer, no, done_ms, note)
SELECT id, event_type, reason, field, out_trade_no, transaction_id, out_refund_no, refund_id, sub_mchid,
       resource, received_ms, queried_ms, query_answer, no, done_ms, note
FROM kept_notifications ORDER BY rowid;
DROP TABLE kept_notifications;
ALTER TABLE new_kept_notifications RENAME TO kept_notifications;
CREATE INDEX kept_notifications_by_payment ON kept_notifications (merchant, out_trade_no);
CREATE INDEX kept_notifications_by_refund ON kept_notifications (merchant, out_refund_no);

CREATE TABLE new_due_work (
    merchant INTEGER NOT NULL DEFAULT 1,
    kind     TEXT    NOT NULL,
    -- The order's id, or a number of the merchant's, or the id of a message.
    subject  TEXT    NOT NULL,
    due_ms   INTEGER NOT NULL,
    tries    INTEGER NOT NULL DEFAULT 0,
    -- When the work was scheduled, by the clock of that moment. A moment that lies ahead says that
    -- the clock was put back since: what was meant is the wait, not the moment.
    set_ms   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (merchant, kind, subject)
) STRICT;
INSERT INTO new_due_work (kind, subject, due_ms, tries, set_ms)
SELECT kind, subject, due_ms, tries, set_ms FROM due_work ORDER BY rowid;
DROP TABLE due_work;
ALTER TABLE new_due_work RENAME TO due_work;
CREATE INDEX due_work_by_time ON due_work (merchant, due_ms);
CREATE INDEX due_work_by_set ON due_work (merchant, set_ms);

-- Its id is unique in the database: it is made of what happened and of the merchant.
ALTER TABLE webhooks ADD COLUMN merchant INTEGER NOT NULL DEFAULT 1;
DROP INDEX webhooks_by_time;
DROP INDEX webhooks_by_state;
CREATE INDEX webhooks_by_time ON webhooks (merchant, created_ms);
CREATE INDEX webhooks_by_state ON webhooks (merchant, state, created_ms);
