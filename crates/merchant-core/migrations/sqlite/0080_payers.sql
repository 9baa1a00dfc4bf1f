-- Who paid, in WeChat's words: the openid under the application that ordered, and in partner mode the one
-- under the sub-merchant's application.
ALTER TABLE attempts ADD COLUMN payer_openid TEXT;
ALTER TABLE attempts ADD COLUMN payer_sub_openid TEXT;
-- The exact bytes for a target that gets the payer. NULL: it gets the same as every other.
ALTER TABLE webhooks ADD COLUMN payer_body BLOB;
