//! Why a bill is refused or cannot be read. Errors never show cells: they may name buyers.

use payment_values::YuanTextError;

use crate::bill::limits::{MAX_BILL_BYTES, MAX_LINE_BYTES};

impl BillError {
    /// Whether another download of the same bill may help: the file was changed or truncated on its
    /// way. All other errors are in the bill itself.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Gzip | Self::Digest | Self::Sealed)
    }
}

/// Why a bill is refused or cannot be read. Lines count from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BillError {
    /// The ticket names another hash than SHA1, or one that is not 40 hex digits.
    #[error("the bill's hash is not SHA1 in 40 hex digits")]
    Hash,
    /// The ticket's address is not an https address with a host (http is accepted only for loopback
    /// addresses).
    #[error("the bill's download_url is not an https address")]
    DownloadUrl,
    /// The ticket's address is not at one of WeChat Pay's own hosts.
    #[error("the bill's download_url is not at one of WeChat Pay's hosts")]
    ForeignHost,
    /// The file is not gzip, or is truncated.
    #[error("the bill's file is not complete gzip")]
    Gzip,
    /// The file is longer than any bill can be.
    #[error("the bill is longer than {MAX_BILL_BYTES} bytes")]
    TooLong,
    /// The file does not have the ticket's hash. It must not be used.
    #[error("the bill's file does not have the hash that WeChat announced")]
    Digest,
    /// The key or the nonce of an encrypted bill is not in the documented form, or the key was not
    /// encrypted for this merchant.
    #[error("the encrypted bill's key does not open: {0}")]
    SealedKey(&'static str),
    /// The file does not open with the key of its ticket: another file, or changed content.
    #[error("the encrypted bill does not open with its key")]
    Sealed,
    /// A bill in parts, of which some are missing.
    #[error("the bill has {announced} parts, {got} were given")]
    Parts {
        /// The number of parts that WeChat announces.
        announced: usize,
        /// The number of parts that are given.
        got: usize,
    },
    /// A line is not UTF-8.
    #[error("line {line} of the bill is not UTF-8")]
    NotUtf8 {
        /// The line.
        line: u64,
    },
    /// A line is longer than any line of a bill can be.
    #[error("line {line} of the bill is longer than {MAX_LINE_BYTES} bytes")]
    LineTooLong {
        /// The line.
        line: u64,
    },
    /// The first line does not name columns, or the summary's first line does not.
    #[error("line {line} of the bill does not name columns")]
    NoColumns {
        /// The line.
        line: u64,
    },
    /// A column's name is given twice: it must be clear which one counts.
    #[error("line {line} of the bill names a column twice")]
    ColumnTwice {
        /// The line.
        line: u64,
    },
    /// A line has another number of cells than there are columns.
    #[error("line {line} of the bill has {got} cells and not {expected}")]
    CellCount {
        /// The line.
        line: u64,
        /// The number of columns.
        expected: usize,
        /// The number of cells.
        got: usize,
    },
    /// The bill ends without its two lines of summary: it is truncated.
    #[error("the bill has no summary")]
    NoSummary,
    /// Something follows the summary.
    #[error("line {line} of the bill comes after its summary")]
    AfterSummary {
        /// The line.
        line: u64,
    },
    /// A required column is missing.
    #[error("the bill has no column {0}")]
    ColumnMissing(&'static str),
    /// A cell is not an amount in yuan.
    #[error("line {line} of the bill, {column}: {error}")]
    Amount {
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
        /// The cause.
        error: YuanTextError,
    },
    /// A cell is not a count.
    #[error("line {line} of the bill, {column}: not a count")]
    Count {
        /// The line.
        line: u64,
        /// The column.
        column: &'static str,
    },
}
