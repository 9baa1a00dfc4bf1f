//! Lines of CSV (RFC 4180), in UTF-8 with a byte order mark, as WeChat's bills. A spreadsheet neither
//! computes nor rounds a cell of it: a back-tick stands before such a cell, also as in WeChat's bills.

/// What the cells of a column hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cells {
    /// A word of this program.
    Word,
    /// A number that is a name: a spreadsheet must not round it.
    Number,
    /// An amount, or text of others.
    Value,
}

/// A column's name, and what it holds.
pub type Column = (&'static str, Cells);

/// The longest amount that every spreadsheet reads exactly.
const EXACT_DIGITS: usize = 15;

/// The first line: the byte order mark, and the names of the columns.
pub fn heading(columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    format!("\u{feff}{}\r\n", names.join(","))
}

/// A line, with one cell for each column.
pub fn line<'a>(columns: &[Column], cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells = cells.into_iter().zip(columns);
    let cells: Vec<_> = cells.map(|(text, (_, kind))| cell(text, *kind)).collect();
    format!("{}\r\n", cells.join(","))
}

/// Text of others without control characters, which a terminal would obey and a line break of which
/// would end a row.
pub fn plain(text: &str) -> String {
    let plain = |letter: char| {
        if letter.is_control() {
            '\u{fffd}'
        } else {
            letter
        }
    };
    text.chars().map(plain).collect()
}

/// A cell. A spreadsheet computes cells that begin like a formula, and rounds long numbers; a back-tick
/// before them prevents both.
fn cell(text: &str, kind: Cells) -> String {
    let text = plain(text);
    let is_exact = match kind {
        Cells::Word => true,
        Cells::Number => text.is_empty(),
        Cells::Value => text.is_empty() || is_amount(&text),
    };
    let text = if is_exact { text } else { format!("`{text}") };
    if text.contains([',', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn is_amount(cell: &str) -> bool {
    cell.len() <= EXACT_DIGITS
        && cell.bytes().all(|digit| digit.is_ascii_digit())
        && (cell == "0" || !cell.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_stays_a_text_wherever_others_wrote_it() {
        let columns = [
            ("kind", Cells::Word),
            ("number", Cells::Number),
            ("text", Cells::Value),
        ];
        assert_eq!(heading(&columns), "\u{feff}kind,number,text\r\n");
        for (text, expected) in [
            ("=1+1", "`=1+1"),
            ("@SUM(A1)", "`@SUM(A1)"),
            ("-2+3", "`-2+3"),
            ("a\r\n=1", "`a\u{fffd}\u{fffd}=1"),
            ("=A(\"b\",1)", "\"`=A(\"\"b\"\",1)\""),
            ("1990", "1990"),
            ("", ""),
        ] {
            let line = line(&columns, ["paid", "12", text]);
            assert_eq!(line, format!("paid,`12,{expected}\r\n"));
        }
    }
}
