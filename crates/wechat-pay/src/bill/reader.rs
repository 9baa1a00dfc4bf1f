//! Reads a bill's file while it arrives: unpacks it, hashes it, and splits it into lines and the
//! lines into rows.

use std::sync::Arc;

use crate::bill::limits::MAX_LINE_BYTES;
use crate::bill::row::Columns;
use crate::bill::unpacking::Unpacking;
use crate::bill::{BillError, BillRow, BillTicket, Packing};

/// A bill whose hash was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The rows, in the file's order.
    pub rows: Vec<BillRow>,
    /// The summary.
    pub summary: BillRow,
}

/// Reads a whole file: first its hash, and its lines only if the hash matches. One line that cannot be
/// read is an error; [`BillReader`] continues after it.
pub fn read_bill(file: &[u8], packing: Packing, ticket: &BillTicket) -> Result<Bill, BillError> {
    let mut unpacking = Unpacking::new(packing);
    unpacking.push(file, &mut |_| Ok(()))?;
    unpacking.finish(Some(ticket.digest()?), &mut |_| Ok(()))?;
    let mut reader = BillReader::new(packing, ticket)?;
    let mut rows = reader.push(file)?;
    let (rest, summary) = reader.finish()?;
    rows.extend(rest);
    checked(Bill { rows, summary })
}

/// A bill in which every line can be read.
fn checked(bill: Bill) -> Result<Bill, BillError> {
    bill.rows.iter().try_for_each(BillRow::check)?;
    bill.summary.check()?;
    Ok(bill)
}

/// Reads the text of a bill whose hashes were checked.
pub(super) fn read_parts(text: &[u8]) -> Result<Bill, BillError> {
    let mut lines = Lines::default();
    lines.push(text)?;
    let mut rows = std::mem::take(&mut lines.rows);
    let (rest, summary) = lines.finish()?;
    rows.extend(rest);
    checked(Bill { rows, summary })
}

/// Reads a file piece by piece, in one pass and little memory.
///
/// Rows of [`BillReader::push`] are **not yet authenticated**: keep them apart (in a transaction,
/// in a separate table) until [`BillReader::finish`] has found the announced hash.
///
/// A line that cannot be read is a row that says why ([`BillRow::check`]), and so is a summary that
/// is missing. Only a first line that does not name columns ends the reading.
pub struct BillReader {
    announced: Option<[u8; 20]>,
    unpacking: Unpacking,
    lines: Lines,
}

impl BillReader {
    /// A reader for the file of this ticket.
    pub fn new(packing: Packing, ticket: &BillTicket) -> Result<Self, BillError> {
        Ok(Self {
            announced: Some(ticket.digest()?),
            unpacking: Unpacking::new(packing),
            lines: Lines::default(),
        })
    }

    /// A reader for a bill of version 2, which has no hash and no signature: only the connection to
    /// WeChat authenticates it.
    #[must_use]
    pub fn without_hash(packing: Packing) -> Self {
        Self {
            announced: None,
            unpacking: Unpacking::new(packing),
            lines: Lines::default(),
        }
    }

    /// Reads the next bytes, of any length; returns the rows that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<BillRow>, BillError> {
        let lines = &mut self.lines;
        self.unpacking.push(bytes, &mut |piece| lines.push(piece))?;
        Ok(std::mem::take(&mut lines.rows))
    }

    /// Ends: the file must be complete and have the announced hash, if one was announced. Returns
    /// the last rows and the summary.
    pub fn finish(self) -> Result<(Vec<BillRow>, BillRow), BillError> {
        let Self {
            announced,
            unpacking,
            mut lines,
        } = self;
        unpacking.finish(announced, &mut |piece| lines.push(piece))?;
        lines.finish()
    }
}

/// Unpacks a file piece by piece and checks its hash without reading lines: to check the hash
/// before anything else, or to store the text as WeChat made it.
pub struct BillText {
    announced: Option<[u8; 20]>,
    unpacking: Unpacking,
}

impl BillText {
    /// For the file of this ticket.
    pub fn new(packing: Packing, ticket: &BillTicket) -> Result<Self, BillError> {
        Ok(Self {
            announced: Some(ticket.digest()?),
            unpacking: Unpacking::new(packing),
        })
    }

    /// For a bill of version 2, as [`BillReader::without_hash`].
    #[must_use]
    pub fn without_hash(packing: Packing) -> Self {
        Self {
            announced: None,
            unpacking: Unpacking::new(packing),
        }
    }

    /// Reads the next bytes; adds the unpacked bytes, **not yet authenticated**, to `text`.
    pub fn push(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> Result<(), BillError> {
        self.unpacking.push(bytes, &mut |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })
    }

    /// Ends: the file must be complete and have the announced hash, if one was announced. Adds the
    /// rest to `text`.
    pub fn finish(self, text: &mut Vec<u8>) -> Result<(), BillError> {
        self.unpacking.finish(self.announced, &mut |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })
    }
}

#[derive(Default)]
struct Lines {
    /// The beginning of a line whose end has not come yet; no more of it than a line may have.
    partial: Vec<u8>,
    is_too_long: bool,
    count: u64,
    place: Place,
    rows: Vec<BillRow>,
}

#[derive(Default)]
enum Place {
    #[default]
    Head,
    Rows(Arc<Columns>),
    /// The summary's columns were named, or could not be read.
    SummaryRow(Arc<Columns>, Option<BillError>),
    End(BillRow),
}

/// The first columns of the summaries of trade bills and of fund flows.
const SUMMARY_COLUMNS: [&str; 2] = ["总交易单数", "资金流水总笔数"];

impl Lines {
    fn push(&mut self, mut bytes: &[u8]) -> Result<(), BillError> {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.keep(&bytes[..end]);
            self.end_line()?;
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes);
        Ok(())
    }

    fn finish(mut self) -> Result<(Vec<BillRow>, BillRow), BillError> {
        // The last line may have no line end.
        self.end_line()?;
        let line = self.count;
        let none = |problem| {
            let columns = Arc::<Columns>::default();
            BillRow::read("", line, &columns).with_problem(problem)
        };
        let summary = match self.place {
            Place::End(summary) => summary,
            Place::SummaryRow(_, Some(problem)) => none(problem),
            Place::Head | Place::Rows(_) | Place::SummaryRow(_, None) => none(BillError::NoSummary),
        };
        Ok((self.rows, summary))
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_LINE_BYTES - self.partial.len();
        self.is_too_long |= bytes.len() > room;
        self.partial
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn end_line(&mut self) -> Result<(), BillError> {
        let bytes = std::mem::take(&mut self.partial);
        let is_too_long = std::mem::take(&mut self.is_too_long);
        self.count += 1;
        let line = self.count;
        let text = String::from_utf8_lossy(&bytes);
        let problem = match (is_too_long, std::str::from_utf8(&bytes)) {
            (true, _) => Some(BillError::LineTooLong { line }),
            (false, Err(_)) => Some(BillError::NotUtf8 { line }),
            (false, Ok(_)) => None,
        };
        let text = text.strip_suffix('\r').unwrap_or(&text);
        let text = match line {
            1 => text.strip_prefix('\u{feff}').unwrap_or(text),
            _ => text,
        };
        self.take(text, line, problem)
    }

    fn take(&mut self, text: &str, line: u64, problem: Option<BillError>) -> Result<(), BillError> {
        let row = |columns| {
            let row = BillRow::read(text, line, columns);
            match &problem {
                Some(problem) => row.with_problem(problem.clone()),
                None => row,
            }
        };
        let next = match &self.place {
            Place::Head => match problem {
                Some(problem) => return Err(problem),
                None => Place::Rows(Arc::new(Columns::read(text, line)?)),
            },
            Place::Rows(_) | Place::End(_) if text.is_empty() => return Ok(()),
            Place::Rows(_) if problem.is_none() && names_a_summary(text) => {
                match Columns::read(text, line) {
                    Ok(columns) => Place::SummaryRow(Arc::new(columns), None),
                    Err(problem) => Place::SummaryRow(Arc::default(), Some(problem)),
                }
            }
            Place::Rows(columns) => {
                let row = row(columns);
                self.rows.push(row);
                return Ok(());
            }
            Place::SummaryRow(columns, None) => Place::End(row(columns)),
            Place::SummaryRow(columns, Some(problem)) => {
                Place::End(row(columns).with_problem(problem.clone()))
            }
            Place::End(_) => {
                let after = BillRow::read(text, line, &Arc::default());
                let problem = BillError::AfterSummary { line };
                self.rows.push(after.with_problem(problem));
                return Ok(());
            }
        };
        self.place = next;
        Ok(())
    }
}

/// Whether a line names the summary's columns. Each row of data begins with its time. So a line
/// without a backtick that begins with anything but a digit is not a row of data, whatever its
/// names are.
fn names_a_summary(text: &str) -> bool {
    let ticked = text.strip_prefix('`');
    let first = ticked.unwrap_or(text).split(',').next().unwrap_or_default();
    let first = first.trim();
    SUMMARY_COLUMNS.contains(&first)
        || ticked.is_none() && !first.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests;
