-- The address that an order of the payment service (wxpayserver) names for its notification.
ALTER TABLE orders ADD COLUMN notify_url TEXT;
-- A message for one address alone, in WeChat's form; NULL: for every configured target.
ALTER TABLE webhooks ADD COLUMN notify_url TEXT;
