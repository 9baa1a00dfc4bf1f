-- An order is found by WeChat's number of its payment.
CREATE INDEX attempts_by_transaction ON attempts (merchant, transaction_id)
    WHERE transaction_id IS NOT NULL;
