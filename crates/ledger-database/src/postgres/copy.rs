//! Many rows at once, by PostgreSQL's COPY in its text form: a row is a line, and its values are parted
//! by tabs. A line of a row is the same on the way in and on the way out, so lines can be compared.

use std::fmt::Write as _;

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgConnection;

use super::failure;
use super::statement::storable;
use crate::{Error, FromRow, ReadError, Row, ValueRef};

/// A row as a line, with the line break at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyLine(String);

impl CopyLine {
    /// The line.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl FromRow for CopyLine {
    fn from_row(row: &Row<'_>) -> Result<Self, Error> {
        let mut line = String::new();
        for place in 0..row.len() {
            if place > 0 {
                line.push('\t');
            }
            line.push_str(&row.at::<Field>(place)?.0);
        }
        line.push('\n');
        Ok(Self(line))
    }
}

/// A value in a line.
struct Field(String);

impl crate::Column for Field {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        Ok(Self(match value {
            ValueRef::Null => "\\N".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Text(text) => escaped(&storable(text)),
            ValueRef::Blob(bytes) => {
                let mut text = String::from("\\\\x");
                for byte in bytes {
                    let _ = write!(text, "{byte:02x}");
                }
                text
            }
        }))
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{8}' => escaped.push_str("\\b"),
            '\u{b}' => escaped.push_str("\\v"),
            '\u{c}' => escaped.push_str("\\f"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Puts rows into a table. The names are those of the catalogue, never of a caller.
pub(super) async fn put(
    connection: &mut PgConnection,
    table: &str,
    columns: &str,
    lines: &[CopyLine],
) -> Result<u64, Error> {
    let statement = format!("COPY {table} ({columns}) FROM STDIN");
    let mut copy = { connection.copy_in_raw(&statement).await }.map_err(failure::of)?;
    for line in lines {
        copy.send(line.as_bytes()).await.map_err(failure::of)?;
    }
    copy.finish().await.map_err(failure::of)
}

/// Calls `each` with the line of each row of a table.
pub(super) async fn read(
    connection: &mut PgConnection,
    table: &str,
    columns: &str,
    each: &mut (dyn FnMut(&[u8]) + Send),
) -> Result<(), Error> {
    let statement = format!("COPY (SELECT {columns} FROM {table}) TO STDOUT");
    let mut pieces = { connection.copy_out_raw(&statement).await }.map_err(failure::of)?;
    let mut rest = Vec::new();
    while let Some(piece) = pieces.try_next().await.map_err(failure::of)? {
        // A piece is a row, and nobody promises that.
        rest.extend_from_slice(&piece);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            each(&rest[..=end]);
            rest.drain(..=end);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Column as _;

    #[test]
    fn a_value_is_written_as_postgresql_writes_it() {
        for (value, expected) in [
            (ValueRef::Null, "\\N"),
            (ValueRef::Integer(-7), "-7"),
            (ValueRef::Text(""), ""),
            (
                ValueRef::Text("茶\t\\N\r\n\u{8}\u{b}\u{c}"),
                "茶\\t\\\\N\\r\\n\\b\\v\\f",
            ),
            (ValueRef::Text("a\0b"), "a\u{fffd}b"),
            (ValueRef::Blob(b"\0\xff\t"), "\\\\x00ff09"),
        ] {
            assert_eq!(Field::read(value).unwrap().0, expected);
        }
    }
}
