//! One line of a bill, its cells found by their columns' names.

use std::collections::BTreeMap;
use std::sync::Arc;

use payment_values::{Fen, read_decimal};

use crate::bill::BillError;

/// The names of the columns, and where each stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Columns {
    places: BTreeMap<String, usize>,
}

impl Columns {
    /// Reads the line that names them.
    pub(super) fn read(text: &str, line: u64) -> Result<Self, BillError> {
        let mut places = BTreeMap::new();
        for (place, name) in text.split(',').enumerate() {
            // Some bills have the cells' backtick before the names as well.
            let name = name.trim();
            let name = name.strip_prefix('`').unwrap_or(name).trim();
            // No name begins with a digit, and every row does: with its time.
            if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
                return Err(BillError::NoColumns { line });
            }
            if places.insert(name.to_owned(), place).is_some() {
                return Err(BillError::ColumnTwice { line });
            }
        }
        Ok(Self { places })
    }
}

/// A line of data: a payment, a refund, a movement of funds, or the summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillRow {
    line: u64,
    columns: Arc<Columns>,
    cells: Vec<String>,
    /// Why the line as a whole cannot be read. Its first cells may still be right.
    problem: Option<BillError>,
}

impl BillRow {
    /// Reads a line whose cells each begin with a backtick. Cells are split where a comma and a
    /// backtick meet, so that a cell may contain a comma.
    pub(super) fn read(text: &str, line: u64, columns: &Arc<Columns>) -> Self {
        let expected = columns.places.len();
        let ticked = text.strip_prefix('`');
        let cells: Vec<String> = match ticked {
            Some(text) => text.split(",`").map(str::to_owned).collect(),
            // Unreliable, but it shows an operator which payment it may be.
            None => text.split(',').map(str::to_owned).collect(),
        };
        let got = ticked.map_or(0, |_| cells.len());
        let problem = (got != expected).then_some(BillError::CellCount {
            line,
            expected,
            got,
        });
        Self {
            line,
            columns: Arc::clone(columns),
            cells,
            problem,
        }
    }

    /// The same for a line that already has an error.
    pub(super) fn with_problem(mut self, problem: BillError) -> Self {
        self.problem = Some(problem);
        self
    }

    /// Whether the line as a whole could be read. If it could not be read, its cells may be wrong.
    pub fn check(&self) -> Result<(), BillError> {
        self.problem.clone().map_or(Ok(()), Err)
    }

    /// The line in the file, from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The cell of a column, without its backtick; `None` if the bill has no such column. In text
    /// that people wrote, WeChat replaces commas by a backslash and a blank; this replacement
    /// stays.
    pub fn get(&self, column: &str) -> Option<&str> {
        let place = *self.columns.places.get(column)?;
        self.cells.get(place).map(String::as_str)
    }

    /// The names of all columns with their cells, by name.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &str)> {
        self.columns
            .places
            .iter()
            .filter_map(|(name, place)| Some((name.as_str(), self.cells.get(*place)?.as_str())))
    }

    /// From several names of a column, the name that this bill uses; the first name if the bill has
    /// none.
    pub(super) fn name_of(&self, names: &[&'static str]) -> &'static str {
        let known = names
            .iter()
            .find(|name| self.columns.places.contains_key(**name));
        known.or(names.first()).copied().unwrap_or_default()
    }

    /// Text that only people read; empty if the bill has no such column.
    pub(super) fn text_or_empty(&self, column: &str) -> String {
        self.get(column).unwrap_or_default().to_owned()
    }

    pub(super) fn text(&self, column: &'static str) -> Result<String, BillError> {
        self.get(column)
            .map(str::to_owned)
            .ok_or(BillError::ColumnMissing(column))
    }

    /// Text that may be absent: no column, nothing in it, or the `0` that WeChat puts for a
    /// number that does not exist.
    pub(super) fn optional_text(&self, column: &str) -> Option<String> {
        self.get(column)
            .filter(|text| !text.is_empty() && *text != "0")
            .map(str::to_owned)
    }

    pub(super) fn fen(&self, column: &'static str) -> Result<Fen, BillError> {
        let text = self.get(column).ok_or(BillError::ColumnMissing(column))?;
        self.read_fen(column, text)
    }

    /// An amount whose column not every kind of bill has.
    pub(super) fn optional_fen(&self, column: &'static str) -> Result<Option<Fen>, BillError> {
        match self.get(column) {
            Some(text) if !text.trim().is_empty() => self.read_fen(column, text).map(Some),
            _ => Ok(None),
        }
    }

    /// An amount that may be negative, as a count of its `decimals`-th places.
    pub(super) fn signed(&self, column: &'static str, decimals: usize) -> Result<i64, BillError> {
        let text = self.get(column).ok_or(BillError::ColumnMissing(column))?;
        let text = text.trim();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        match read_decimal(digits, decimals) {
            Ok(count) => Ok(sign * count),
            Err(error) => Err(BillError::Amount {
                line: self.line,
                column,
                error,
            }),
        }
    }

    /// A count, which WeChat's own example writes as `45.0`.
    pub(super) fn count(&self, column: &'static str) -> Result<u64, BillError> {
        let text = self.get(column).ok_or(BillError::ColumnMissing(column))?;
        let text = text.trim();
        let digits = match text.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole,
            _ => text,
        };
        digits
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| digits.parse().ok())
            .flatten()
            .ok_or(BillError::Count {
                line: self.line,
                column,
            })
    }

    fn read_fen(&self, column: &'static str, text: &str) -> Result<Fen, BillError> {
        Fen::from_yuan_text(text.trim()).map_err(|error| BillError::Amount {
            line: self.line,
            column,
            error,
        })
    }
}
