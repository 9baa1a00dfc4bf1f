-- In WeChat's words, as far as it named one.
ALTER TABLE attempts ADD COLUMN bank_type TEXT;
-- Lists go by the newest first, and ask for one state or all.
CREATE INDEX orders_by_state ON orders (state, id);
