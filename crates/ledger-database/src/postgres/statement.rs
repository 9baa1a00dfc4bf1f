//! A statement as PostgreSQL reads it: its text with `$1` for `?`, and its values.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use sqlx::Arguments as _;
use sqlx::postgres::PgArguments;

use crate::query::RowLock;
use crate::{Error, Kind, Value};

type Texts = Mutex<HashMap<(&'static str, RowLock), &'static str>>;

/// The statements that were translated. Every statement is a constant of the program, so there are as
/// many as it has.
static TEXTS: LazyLock<Texts> = LazyLock::new(Texts::default);

/// The text for PostgreSQL, with the clause that locks rows. Rows that only refer to a locked one can
/// still be written: no statement of the ledger changes a key.
pub(super) fn text(statement: &'static str, lock: RowLock) -> &'static str {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts.entry((statement, lock)).or_insert_with(|| {
        let clause = match lock {
            RowLock::None => "",
            RowLock::Wait => " FOR NO KEY UPDATE",
            RowLock::Skip => " FOR NO KEY UPDATE SKIP LOCKED",
        };
        Box::leak((translated(statement) + clause).into_boxed_str())
    })
}

/// `?` and `?1` outside of quotes and comments become `$1`.
fn translated(statement: &str) -> String {
    let mut text = String::with_capacity(statement.len() + 16);
    let mut rest = statement.chars().peekable();
    let mut count = 0_u32;
    while let Some(character) = rest.next() {
        match character {
            '\'' | '"' => {
                text.push(character);
                // A doubled quote ends one quotation and begins the next.
                for quoted in rest.by_ref() {
                    text.push(quoted);
                    if quoted == character {
                        break;
                    }
                }
            }
            '-' if rest.peek() == Some(&'-') => {
                text.push(character);
                for remark in rest.by_ref() {
                    text.push(remark);
                    if remark == '\n' {
                        break;
                    }
                }
            }
            '?' => {
                text.push('$');
                if rest.peek().is_some_and(char::is_ascii_digit) {
                    continue;
                }
                count += 1;
                text.push_str(&count.to_string());
            }
            other => text.push(other),
        }
    }
    text
}

/// The values in the form that a connection sends. An absent value has its column's type, so that a
/// statement is prepared once for all its values.
pub(super) fn arguments(values: &[Value<'_>]) -> Result<PgArguments, Error> {
    let mut arguments = PgArguments::default();
    for value in values {
        let added = match value {
            Value::Null(Kind::Integer) => arguments.add(None::<i64>),
            Value::Null(Kind::Text) => arguments.add(None::<&str>),
            Value::Null(Kind::Blob) => arguments.add(None::<&[u8]>),
            Value::Integer(number) => arguments.add(*number),
            Value::Text(text) => arguments.add(storable(text).into_owned()),
            Value::Blob(bytes) => arguments.add(bytes.as_ref()),
        };
        added.map_err(|_| Error::Refused("a value is too long for PostgreSQL".into()))?;
    }
    Ok(arguments)
}

/// PostgreSQL's texts have no U+0000, and what others send may have one. It is evidence that must be
/// kept, so U+FFFD, the character for what cannot be shown, stands for it.
pub(super) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        Cow::Owned(text.replace('\0', "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_marks_become_numbers_but_not_in_quotes_and_comments() {
        for (statement, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("WHERE a = ? AND b = ?", "WHERE a = $1 AND b = $2"),
            (
                "SET a = ?2, b = ?1 WHERE c = ?10",
                "SET a = $2, b = $1 WHERE c = $10",
            ),
            ("SELECT '?', ?", "SELECT '?', $1"),
            ("SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"),
            ("SELECT \"a?\" FROM t", "SELECT \"a?\" FROM t"),
            ("SELECT ? -- why?\n, ?", "SELECT $1 -- why?\n, $2"),
            ("SELECT 2 - ?", "SELECT 2 - $1"),
            ("SELECT 'open ?", "SELECT 'open ?"),
        ] {
            assert_eq!(translated(statement), expected);
        }
    }

    #[test]
    fn the_same_statement_has_a_text_for_each_lock() {
        let statement = "SELECT id FROM orders WHERE id = ?";
        let ends = [
            (RowLock::None, "id = $1"),
            (RowLock::Wait, "id = $1 FOR NO KEY UPDATE"),
            (RowLock::Skip, "id = $1 FOR NO KEY UPDATE SKIP LOCKED"),
        ];
        for (lock, end) in ends {
            assert!(text(statement, lock).ends_with(end), "{lock:?}");
        }
        let again = text(statement, RowLock::Wait);
        assert!(std::ptr::eq(text(statement, RowLock::Wait), again));
    }

    #[test]
    fn a_text_keeps_every_character_that_postgresql_can_store() {
        assert_eq!(storable("茶 \u{1}\t"), "茶 \u{1}\t");
        assert_eq!(storable("a\0b"), "a\u{fffd}b");
    }
}
