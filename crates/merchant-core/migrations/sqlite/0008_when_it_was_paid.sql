-- When a payment succeeded, in WeChat's words as a time: a day's bill is compared by it. Orders
-- have the text of the payment that settled them; a surplus one had it nowhere.
ALTER TABLE attempts ADD COLUMN success_ms INTEGER;
UPDATE attempts SET success_ms = 1000 * CAST(strftime('%s', (
    SELECT success_time FROM orders WHERE orders.id = attempts.order_id
)) AS INTEGER) WHERE state = 'paid';
CREATE INDEX attempts_by_success ON attempts (success_ms) WHERE success_ms IS NOT NULL;
