-- Whom a service provider ordered for, and whose the payer's openid is.
ALTER TABLE orders ADD COLUMN sub_mchid TEXT;
ALTER TABLE orders ADD COLUMN openid_is_sub INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN sub_mchid TEXT;
ALTER TABLE attempts ADD COLUMN sub_appid TEXT;
-- Signs the cashier's parameters; the ordering appid where absent.
ALTER TABLE attempts ADD COLUMN payer_appid TEXT;
-- What WeChat told of the payment, each attempt its own: a surplus one has its own, too.
ALTER TABLE attempts ADD COLUMN payer_total_fen INTEGER;
ALTER TABLE attempts ADD COLUMN success_time TEXT;
ALTER TABLE attempts ADD COLUMN promotion_detail TEXT;
-- By which WeChat is asked about it.
ALTER TABLE mismatches ADD COLUMN sub_mchid TEXT;
