-- A person looks at what fits nothing, by a number of its own, and says so.
ALTER TABLE mismatches ADD COLUMN no INTEGER;
ALTER TABLE mismatches ADD COLUMN done_ms INTEGER;
ALTER TABLE mismatches ADD COLUMN note TEXT;
ALTER TABLE refund_mismatches ADD COLUMN no INTEGER;
ALTER TABLE refund_mismatches ADD COLUMN done_ms INTEGER;
ALTER TABLE refund_mismatches ADD COLUMN note TEXT;
-- One sequence for both, older ones first in each.
UPDATE mismatches SET no = (
    SELECT COUNT(*) FROM mismatches AS older WHERE older.rowid <= mismatches.rowid
);
UPDATE refund_mismatches SET no = (SELECT COUNT(*) FROM mismatches) + (
    SELECT COUNT(*) FROM refund_mismatches AS older WHERE older.rowid <= refund_mismatches.rowid
);
CREATE UNIQUE INDEX mismatches_by_no ON mismatches (no);
CREATE UNIQUE INDEX refund_mismatches_by_no ON refund_mismatches (no);
