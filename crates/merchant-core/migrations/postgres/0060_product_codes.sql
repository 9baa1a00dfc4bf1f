-- Static product codes (Native mode 1): a printed code names goods, and each scan makes an order.
CREATE TABLE product_codes (
    merchant   BIGINT NOT NULL,
    product_id TEXT   COLLATE "C" NOT NULL,
    -- The description of an order.
    name       TEXT    NOT NULL,
    -- NULL: the merchant's backend confirms each scan.
    price_fen  BIGINT  CHECK (price_fen >= 1),
    created_ms BIGINT  NOT NULL,
    -- The nonce of the printed link: each print of the code is the same.
    nonce      TEXT    NOT NULL,
    PRIMARY KEY (merchant, product_id)
);

-- The scans, each with its order.
CREATE TABLE product_scans (
    merchant   BIGINT NOT NULL,
    -- Made of the goods, the buyer and the callback's nonce: a repeated callback is the same scan.
    id         TEXT   COLLATE "C" NOT NULL,
    product_id TEXT   COLLATE "C" NOT NULL,
    -- A hash: the openid itself is not kept here.
    buyer      TEXT   COLLATE "C" NOT NULL,
    order_id   BIGINT  NOT NULL REFERENCES orders (id),
    scanned_ms BIGINT  NOT NULL,
    PRIMARY KEY (merchant, id)
);
CREATE INDEX product_scans_by_buyer ON product_scans (merchant, buyer, product_id);

-- What a Native order of version 2 has beside its code_url: a scan of a product code is answered with it.
ALTER TABLE attempts ADD COLUMN prepay_id TEXT;
