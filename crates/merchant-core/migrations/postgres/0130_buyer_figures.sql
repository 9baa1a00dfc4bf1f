-- When a buyer's page showed the order for the first time before anybody began to pay. NULL: it did not, or an
-- older version had the order.
ALTER TABLE orders ADD COLUMN shown_ms BIGINT;

-- How often buyers' pages were refused something: for the desk's figures.
CREATE TABLE buyer_problems (
    merchant BIGINT NOT NULL,
    -- The first moment of the day in Shanghai.
    day_ms   BIGINT NOT NULL,
    code     TEXT   NOT NULL,
    count    BIGINT NOT NULL CHECK (count > 0),
    PRIMARY KEY (merchant, day_ms, code)
);
