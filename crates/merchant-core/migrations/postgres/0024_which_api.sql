-- Which version of WeChat Pay's API made an attempt or a refund: v3, v2-md5 or v2-hmac-sha256. The
-- same version sends it again, queries it and closes it.
ALTER TABLE attempts ADD COLUMN api TEXT NOT NULL DEFAULT 'v3';
ALTER TABLE refunds ADD COLUMN api TEXT NOT NULL DEFAULT 'v3';
