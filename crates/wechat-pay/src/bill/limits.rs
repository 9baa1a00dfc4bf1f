//! Limits of a bill and its lines. A longer bill or line is refused, and not read in part.

/// The most bytes of an unpacked bill: a limit against gzip bombs.
pub const MAX_BILL_BYTES: u64 = 4 << 30;

/// The most bytes of a line of a bill.
pub const MAX_LINE_BYTES: usize = 64 * 1024;
