-- Whose orders these are: one merchant's, or one provider's, in one environment. One row.
CREATE TABLE owner (
    no INTEGER PRIMARY KEY CHECK (no = 1),
    mchid TEXT NOT NULL,
    environment TEXT NOT NULL
) STRICT;
