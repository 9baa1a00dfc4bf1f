//! How long a bill and its lines may be. What is longer is refused, not read in part.

/// More than this no bill unpacks to: a guard against gzip that grows without end.
pub const MAX_BILL_BYTES: u64 = 4 << 30;

/// More than this no line of a bill has.
pub const MAX_LINE_BYTES: usize = 64 * 1024;
