-- Payment links: an address whose page makes orders.
CREATE TABLE payment_links (
    no          INTEGER PRIMARY KEY,
    merchant    INTEGER NOT NULL,
    -- The part of the address that cannot be guessed.
    id          TEXT    NOT NULL UNIQUE,
    -- The merchant's own number.
    link_no     TEXT,
    -- What the backend gave.
    request     TEXT    NOT NULL,
    -- NULL: any number of orders.
    uses_max    INTEGER CHECK (uses_max >= 1),
    created_ms  INTEGER NOT NULL,
    -- NULL: until it is disabled.
    expires_ms  INTEGER,
    disabled_ms INTEGER,
    UNIQUE (merchant, link_no)
) STRICT;
CREATE INDEX payment_links_by_merchant ON payment_links (merchant, no);

-- An order of a link, with what the buyer wrote on the link's page.
ALTER TABLE orders ADD COLUMN link_id TEXT REFERENCES payment_links (id);
ALTER TABLE orders ADD COLUMN note TEXT;
-- The uses of a link are its orders that are not closed: they are counted and not kept.
CREATE INDEX orders_by_link ON orders (link_id, state) WHERE link_id IS NOT NULL;
