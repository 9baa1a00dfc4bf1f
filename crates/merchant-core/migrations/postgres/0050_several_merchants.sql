-- A database has the ledgers of several merchants. Every number counts within one of them, so it is
-- unique together with its merchant: the number of its owner. All rows so far are the first owner's.
ALTER TABLE owner DROP CONSTRAINT owner_no_check;
ALTER TABLE owner ADD CONSTRAINT owner_mchid_key UNIQUE (mchid);

ALTER TABLE orders ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
ALTER TABLE orders DROP CONSTRAINT orders_order_no_key;
ALTER TABLE orders ADD CONSTRAINT orders_merchant_order_no_key UNIQUE (merchant, order_no);
DROP INDEX orders_by_state;
-- Lists go by the newest first, and ask for one state or all; counts go by state.
CREATE INDEX orders_by_merchant ON orders (merchant, id);
CREATE INDEX orders_by_state ON orders (merchant, state);

ALTER TABLE attempts ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
ALTER TABLE attempts DROP CONSTRAINT attempts_out_trade_no_key;
ALTER TABLE attempts ADD CONSTRAINT attempts_merchant_out_trade_no_key
    UNIQUE (merchant, out_trade_no);
DROP INDEX attempts_by_success;
CREATE INDEX attempts_by_success ON attempts (merchant, success_ms) WHERE success_ms IS NOT NULL;

ALTER TABLE refunds ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
ALTER TABLE refunds DROP CONSTRAINT refunds_out_refund_no_key;
ALTER TABLE refunds ADD CONSTRAINT refunds_merchant_out_refund_no_key
    UNIQUE (merchant, out_refund_no);
DROP INDEX refunds_by_payment;
CREATE INDEX refunds_by_payment ON refunds (merchant, out_trade_no);

ALTER TABLE notifications ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
ALTER TABLE notifications DROP CONSTRAINT notifications_pkey;
ALTER TABLE notifications ADD PRIMARY KEY (merchant, id);

ALTER TABLE mismatches ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
ALTER TABLE mismatches DROP CONSTRAINT mismatches_pkey;
ALTER TABLE mismatches ADD PRIMARY KEY (merchant, out_trade_no, transaction_id);
DROP INDEX mismatches_by_no;
-- One sequence of each merchant for this table and the next two.
CREATE UNIQUE INDEX mismatches_by_no ON mismatches (merchant, no);

ALTER TABLE refund_mismatches ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
ALTER TABLE refund_mismatches DROP CONSTRAINT refund_mismatches_pkey;
ALTER TABLE refund_mismatches ADD PRIMARY KEY (merchant, out_refund_no, refund_id, reason);
DROP INDEX refund_mismatches_by_no;
CREATE UNIQUE INDEX refund_mismatches_by_no ON refund_mismatches (merchant, no);

ALTER TABLE kept_notifications ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
ALTER TABLE kept_notifications DROP CONSTRAINT kept_notifications_pkey;
ALTER TABLE kept_notifications ADD PRIMARY KEY (merchant, id);
ALTER TABLE kept_notifications DROP CONSTRAINT kept_notifications_no_key;
ALTER TABLE kept_notifications ADD CONSTRAINT kept_notifications_merchant_no_key
    UNIQUE (merchant, no);
DROP INDEX kept_notifications_by_payment;
DROP INDEX kept_notifications_by_refund;
CREATE INDEX kept_notifications_by_payment ON kept_notifications (merchant, out_trade_no);
CREATE INDEX kept_notifications_by_refund ON kept_notifications (merchant, out_refund_no);

ALTER TABLE due_work ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
ALTER TABLE due_work DROP CONSTRAINT due_work_pkey;
ALTER TABLE due_work ADD PRIMARY KEY (merchant, kind, subject);
DROP INDEX due_work_by_time;
DROP INDEX due_work_by_set;
CREATE INDEX due_work_by_time ON due_work (merchant, due_ms);
CREATE INDEX due_work_by_set ON due_work (merchant, set_ms);

-- Its id is unique in the database: it is made of what happened and of the merchant.
ALTER TABLE webhooks ADD COLUMN merchant BIGINT NOT NULL DEFAULT 1;
DROP INDEX webhooks_by_time;
DROP INDEX webhooks_by_state;
CREATE INDEX webhooks_by_time ON webhooks (merchant, created_ms);
CREATE INDEX webhooks_by_state ON webhooks (merchant, state, created_ms);
