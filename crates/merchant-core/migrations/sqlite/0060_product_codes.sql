-- Static product codes (Native mode 1): a printed code names goods, and each scan makes an order.
CREATE TABLE product_codes (
    merchant   INTEGER NOT NULL,
    product_id TEXT NOT NULL,
    -- The description of an order.
    name       TEXT    NOT NULL,
    -- NULL: the merchant's backend confirms each scan.
    price_fen  INTEGER CHECK (price_fen >= 1),
    created_ms INTEGER NOT NULL,
    -- The nonce of the printed link: each print of the code is the same.
    nonce      TEXT    NOT NULL,
    PRIMARY KEY (merchant, product_id)
) STRICT;

-- The scans, each with its order.
CREATE TABLE product_scans (
    merchant   INTEGER NOT NULL,
    -- Made of the goods, the buyer and the callback's nonce: a repeated callback is the same scan.
    id         TEXT NOT NULL,
    product_id TEXT    NOT NULL,
    -- A hash: the openid itself is not kept here.
    buyer      TEXT    NOT NULL,
    order_id   INTEGER NOT NULL REFERENCES orders (id),
    scanned_ms INTEGER NOT NULL,
    PRIMARY KEY (merchant, id)
) STRICT;
CREATE INDEX product_scans_by_buyer ON product_scans (merchant, buyer, product_id);

-- What a Native order of version 2 has beside its code_url: a scan of a product code is answered with it.
ALTER TABLE attempts ADD COLUMN prepay_id TEXT;
