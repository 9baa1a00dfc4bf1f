//! A bill's file, read as it comes: unpacked, hashed, cut into lines, lines into rows.

use std::sync::Arc;

use crate::bill::{BillError, BillRow, BillTicket, Packing, row::Columns, unpacking::Unpacking};

/// More than this no line of a bill has.
pub const MAX_LINE_BYTES: usize = 64 * 1024;

/// A bill that was read, and whose hash fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The rows, in the file's order.
    pub rows: Vec<BillRow>,
    /// The summary.
    pub summary: BillRow,
}

/// Reads a whole file: first its hash, and only where that fits its lines.
pub fn read_bill(file: &[u8], packing: Packing, ticket: &BillTicket) -> Result<Bill, BillError> {
    let mut unpacking = Unpacking::new(packing);
    unpacking.push(file, &mut |_| Ok(()))?;
    unpacking.finish(ticket.digest()?, &mut |_| Ok(()))?;
    let mut reader = BillReader::new(packing, ticket)?;
    let mut rows = reader.push(file)?;
    let (rest, summary) = reader.finish()?;
    rows.extend(rest);
    Ok(Bill { rows, summary })
}

/// Reads the text of a bill whose hashes were checked.
pub(super) fn read_parts(text: &[u8]) -> Result<Bill, BillError> {
    let mut lines = Lines::default();
    lines.push(text)?;
    let mut rows = std::mem::take(&mut lines.rows);
    let (rest, summary) = lines.finish()?;
    rows.extend(rest);
    Ok(Bill { rows, summary })
}

/// Reads a file piece by piece, in one pass and little memory.
///
/// What [`BillReader::push`] gives is **not yet vouched for**: keep it apart (in a transaction,
/// in a table of its own) until [`BillReader::finish`] has found the announced hash.
pub struct BillReader {
    announced: [u8; 20],
    unpacking: Unpacking,
    lines: Lines,
}

impl BillReader {
    /// A reader for the file of this ticket.
    pub fn new(packing: Packing, ticket: &BillTicket) -> Result<Self, BillError> {
        Ok(Self {
            announced: ticket.digest()?,
            unpacking: Unpacking::new(packing),
            lines: Lines::default(),
        })
    }

    /// Takes the next bytes, as many or few as came; gives the rows that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<BillRow>, BillError> {
        let lines = &mut self.lines;
        self.unpacking.push(bytes, &mut |piece| lines.push(piece))?;
        Ok(std::mem::take(&mut lines.rows))
    }

    /// Ends: the file must be whole and have the announced hash. Gives the last rows, where the
    /// end completed some, and the summary.
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

/// Unpacks a file piece by piece and checks its hash, and reads no line: to look at the hash before
/// anything else, or to keep the text as WeChat made it.
pub struct BillText {
    announced: [u8; 20],
    unpacking: Unpacking,
}

impl BillText {
    /// For the file of this ticket.
    pub fn new(packing: Packing, ticket: &BillTicket) -> Result<Self, BillError> {
        Ok(Self {
            announced: ticket.digest()?,
            unpacking: Unpacking::new(packing),
        })
    }

    /// Takes the next bytes; adds what they unpack to, which is **not yet vouched for**, to `text`.
    pub fn push(&mut self, bytes: &[u8], text: &mut Vec<u8>) -> Result<(), BillError> {
        self.unpacking.push(bytes, &mut |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })
    }

    /// Ends: the file must be whole and have the announced hash. Adds the rest to `text`.
    pub fn finish(self, text: &mut Vec<u8>) -> Result<(), BillError> {
        self.unpacking.finish(self.announced, &mut |piece| {
            text.extend_from_slice(piece);
            Ok(())
        })
    }
}

#[derive(Default)]
struct Lines {
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    count: u64,
    place: Place,
    rows: Vec<BillRow>,
}

#[derive(Default)]
enum Place {
    #[default]
    Head,
    Rows(Arc<Columns>),
    SummaryRow(Arc<Columns>),
    End(BillRow),
}

impl Lines {
    fn push(&mut self, mut bytes: &[u8]) -> Result<(), BillError> {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.keep(&bytes[..end])?;
            let line = std::mem::take(&mut self.partial);
            self.take(&line)?;
            bytes = &bytes[end + 1..];
        }
        self.keep(bytes)
    }

    fn finish(mut self) -> Result<(Vec<BillRow>, BillRow), BillError> {
        // The last line may do without its end.
        let line = std::mem::take(&mut self.partial);
        self.take(&line)?;
        match self.place {
            Place::End(summary) => Ok((self.rows, summary)),
            _ => Err(BillError::NoSummary),
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), BillError> {
        if self.partial.len() + bytes.len() > MAX_LINE_BYTES {
            let line = self.count + 1;
            return Err(BillError::LineTooLong { line });
        }
        self.partial.extend_from_slice(bytes);
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), BillError> {
        self.count += 1;
        let line = self.count;
        let text = std::str::from_utf8(bytes).map_err(|_| BillError::NotUtf8 { line })?;
        let text = text.strip_suffix('\r').unwrap_or(text);
        let text = match line {
            1 => text.strip_prefix('\u{feff}').unwrap_or(text),
            _ => text,
        };
        let next = match &self.place {
            Place::End(_) if text.is_empty() => return Ok(()),
            Place::End(_) => return Err(BillError::AfterSummary { line }),
            Place::Rows(_) if text.is_empty() => return Ok(()),
            Place::Head => Place::Rows(Arc::new(Columns::read(text, line)?)),
            Place::Rows(columns) if text.starts_with('`') => {
                self.rows.push(BillRow::read(text, line, columns)?);
                return Ok(());
            }
            // The first line without a back-tick names the summary's columns.
            Place::Rows(_) => Place::SummaryRow(Arc::new(Columns::read(text, line)?)),
            Place::SummaryRow(columns) => Place::End(BillRow::read(text, line, columns)?),
        };
        self.place = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
