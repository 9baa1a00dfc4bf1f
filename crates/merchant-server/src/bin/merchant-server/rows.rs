//! Rows of a result on the standard output: a table for people, or CSV for spreadsheets and programs.
//! They are written as they come, because there may be more than fit into memory.

use std::io::{self, Write};

use merchant_core::bills::csv;
pub(crate) use merchant_core::bills::csv::{Cells, Column, plain};

/// The form of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table, aligned.
    Table,
    /// CSV (RFC 4180), in UTF-8 with a byte order mark, as WeChat's bills. A number of an order or a
    /// refund begins with a back-tick, and so does every cell that a spreadsheet would compute.
    Csv,
}

/// How many rows of a table are looked at before its columns get their widths.
const ROWS_FOR_WIDTHS: usize = 200;
/// What separates a table's columns.
const GAP: &str = "  ";

/// Writes rows.
pub(crate) struct Rows<W: Write> {
    format: Format,
    columns: &'static [Column],
    out: W,
    /// The first rows of a table, until its columns have their widths.
    waiting: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
    has_begun: bool,
}

impl<W: Write> Rows<W> {
    pub(crate) fn new(format: Format, columns: &'static [Column], out: W) -> Self {
        Self {
            format,
            columns,
            out,
            waiting: Vec::new(),
            widths: None,
            has_begun: false,
        }
    }

    /// Writes a row; a cell without a value is empty.
    pub(crate) fn push(&mut self, cells: &[&str]) -> io::Result<()> {
        let cells: Vec<String> = cells.iter().map(|cell| plain(cell)).collect();
        match self.format {
            Format::Csv => self.write_csv(&cells),
            Format::Table if self.widths.is_some() => self.write_table(&cells),
            Format::Table => {
                self.waiting.push(cells);
                if self.waiting.len() < ROWS_FOR_WIDTHS {
                    return Ok(());
                }
                self.write_waiting()
            }
        }
    }

    /// Writes what is still waiting. CSV has its heading even without a row.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        match self.format {
            Format::Csv => self.begin_csv()?,
            Format::Table if self.waiting.is_empty() => {}
            Format::Table => self.write_waiting()?,
        }
        self.out.flush()
    }

    fn begin_csv(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        self.out.write_all(csv::heading(self.columns).as_bytes())
    }

    fn write_csv(&mut self, cells: &[String]) -> io::Result<()> {
        self.begin_csv()?;
        let line = csv::line(self.columns, cells.iter().map(String::as_str));
        self.out.write_all(line.as_bytes())
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        let names: Vec<_> = self
            .columns
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let length =
            |row: &Vec<String>, place: usize| row.get(place).map_or(0, |it| it.chars().count());
        let all = || rows.iter().chain([&names]);
        let width = |place| all().map(|row| length(row, place)).max().unwrap_or(0);
        self.widths = Some((0..names.len()).map(width).collect());
        self.write_table(&names)?;
        rows.iter().try_for_each(|row| self.write_table(row))
    }

    fn write_table(&mut self, cells: &[String]) -> io::Result<()> {
        let widths = self.widths.iter().flatten();
        let cells = cells.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        writeln!(self.out, "{}", cells.join(GAP).trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        ("kind", Cells::Word),
        ("number", Cells::Number),
        ("there", Cells::Value),
    ];

    fn written(format: Format, rows: &[[&str; 3]]) -> String {
        let mut out = Vec::new();
        let mut lines = Rows::new(format, COLUMNS, &mut out);
        for row in rows {
            lines.push(row).unwrap();
        }
        lines.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_table_has_a_heading_and_columns_as_wide_as_their_cells() {
        let rows = [["payment_amount", "tea-1", "5"], ["summary", "", "rows 4"]];
        let expected = "kind            number  there\n\
                        payment_amount  tea-1   5\n\
                        summary                 rows 4\n";
        assert_eq!(written(Format::Table, &rows), expected);
        assert_eq!(written(Format::Table, &[]), "");
    }

    #[test]
    fn a_table_of_many_rows_is_written_while_they_come() {
        let mut out = Vec::new();
        let mut rows = Rows::new(Format::Table, COLUMNS, &mut out);
        for _ in 0..ROWS_FOR_WIDTHS + 5 {
            rows.push(&["payment_amount", "tea-1", "5"]).unwrap();
            assert!(rows.waiting.len() < ROWS_FOR_WIDTHS);
        }
        rows.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 1 + ROWS_FOR_WIDTHS + 5);
    }

    #[test]
    fn no_cell_of_csv_is_a_formula_or_is_rounded() {
        for (cell, expected) in [
            ("1990", "1990"),
            ("0", "0"),
            ("", ""),
            ("=1+1", "`=1+1"),
            ("+1", "`+1"),
            ("-1", "`-1"),
            ("@SUM(A1)", "`@SUM(A1)"),
            ("＝1", "`＝1"),
            ("\t=1", "`\u{fffd}=1"),
            (
                "=HYPERLINK(\"http://a\",\"b\")",
                "\"`=HYPERLINK(\"\"http://a\"\",\"\"b\"\")\"",
            ),
            (
                "4200000000000000000000000001",
                "`4200000000000000000000000001",
            ),
            ("007", "`007"),
            ("1E5", "`1E5"),
            ("line 2, 总金额", "\"`line 2, 总金额\""),
            ("a\r\n=1", "`a\u{fffd}\u{fffd}=1"),
        ] {
            let text = written(Format::Csv, &[["summary", "", cell]]);
            let expected = format!("\u{feff}kind,number,there\r\nsummary,,{expected}\r\n");
            assert_eq!(text, expected);
        }
        // An order's number is a name, whatever it looks like.
        let text = written(Format::Csv, &[["payment_amount", "12", "12"]]);
        assert!(text.ends_with("payment_amount,`12,12\r\n"), "{text}");
        assert_eq!(written(Format::Csv, &[]), "\u{feff}kind,number,there\r\n");
    }

    #[test]
    fn text_of_others_does_not_reach_the_terminal_as_a_command() {
        let text = written(Format::Table, &[["summary", "", "\u{1b}[2J"]]);
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
