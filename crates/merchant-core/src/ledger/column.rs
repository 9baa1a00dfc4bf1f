//! Text columns whose values come from a fixed list, read as this program's enums. An unknown value
//! is an error that names the column, never a default.

use ledger_database::{Column, ReadError, ValueRef};
use merchant_api::{AttemptProduct, MismatchKind, OrderState, RefundOrigin, RefundState};

use crate::config::Api;

/// The value of a text column. A field that is an enum is read `as Word<…>`.
pub(super) struct Word<T>(pub(super) T);

/// The value of a text column that holds several values, separated by commas.
pub(super) struct Words<T>(Vec<T>);

/// An enum that a text column holds.
pub(super) trait Stored: Sized {
    /// Reads the column's text as this enum.
    fn read(word: &str) -> Result<Self, UnknownWord>;
}

/// A text that is not in the column's list of values.
#[derive(Debug, thiserror::Error)]
#[error("unknown {0}")]
pub struct UnknownWord(pub(crate) &'static str);

impl<T: Stored> Column for Word<T> {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        let word = text(value)?;
        T::read(word).map(Self).map_err(ReadError::new)
    }
}

impl<T: Stored> Column for Words<T> {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        let words = text(value)?.split(',').map(T::read);
        words
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(ReadError::new)
    }
}

impl<T: Stored> From<Words<T>> for Vec<T> {
    fn from(words: Words<T>) -> Self {
        words.0
    }
}

macro_rules! stored {
    ($($stored:ty: $read:expr,)+) => {$(
        impl $crate::ledger::column::Stored for $stored {
            fn read(word: &str) -> Result<Self, $crate::ledger::column::UnknownWord> {
                $read(word)
            }
        }

        impl From<$crate::ledger::column::Word<Self>> for $stored {
            fn from(word: $crate::ledger::column::Word<Self>) -> Self {
                word.0
            }
        }
    )+};
}

pub(super) use stored;

stored! {
    Api: |word| Self::from_word(word).ok_or(UnknownWord("API")),
    OrderState: order_state,
    MismatchKind: mismatch_kind,
    AttemptProduct: |word| Self::from_word(word).ok_or(UnknownWord("product")),
    RefundState: |word| Self::from_word(word).ok_or(UnknownWord("refund state")),
    RefundOrigin: |word| Self::from_word(word).ok_or(UnknownWord("refund origin")),
}

fn text(value: ValueRef<'_>) -> Result<&str, ReadError> {
    match value {
        ValueRef::Text(text) => Ok(text),
        _ => Err(ReadError::new("must be text")),
    }
}

/// The contract reads an unknown state of an order as open; the ledger must not.
fn order_state(word: &str) -> Result<OrderState, UnknownWord> {
    match word {
        "open" => Ok(OrderState::Open),
        "paid" => Ok(OrderState::Paid),
        "closed" => Ok(OrderState::Closed),
        _ => Err(UnknownWord("order state")),
    }
}

fn mismatch_kind(word: &str) -> Result<MismatchKind, UnknownWord> {
    match word {
        "payment" => Ok(MismatchKind::Payment),
        "refund" => Ok(MismatchKind::Refund),
        "notification" => Ok(MismatchKind::Notification),
        _ => Err(UnknownWord("kind of mismatch")),
    }
}

/// A count or an amount as the database's integer, which has a sign. All counts and amounts are far
/// below the limit of that integer.
pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::{Ledger, LedgerError, OrderFilter};
    use crate::config::Database;

    /// One row in each table that has a [`super::Word`].
    const ROWS: &str = "PRAGMA ignore_check_constraints = 1;
        INSERT INTO orders (id, order_no, token, request, total_fen, description, products,
                            created_ms, expires_ms, current_attempt)
        VALUES (1, 'A-0001', 'T', '{}', 100, 'a book', 'native,h5', 0, 0, 1);
        INSERT INTO attempts (order_id, number, product, out_trade_no, appid, body, state,
                              created_ms, return_handle)
        VALUES (1, 1, 'native', 'A-0001', 'wx', x'', 'open', 0, 'H');
        INSERT INTO refunds (id, out_refund_no, order_id, attempt, out_trade_no, origin, amount_fen,
                             state, created_ms, state_ms)
        VALUES (1, 'R', 1, 1, 'A-0001', 'merchant', 1, 'requested', 0, 0);";

    async fn ledger_with_rows(folder: &std::path::Path, spoil: &'static str) -> Ledger {
        let database = Database::Sqlite(folder.join("ledger.db"));
        let ledger = Ledger::brought_up(&database).await.unwrap();
        for statements in [ROWS, spoil] {
            ledger.writer.execute_batch(statements).await.unwrap();
        }
        ledger
    }

    async fn read_all(ledger: &Ledger) -> Result<(), LedgerError> {
        ledger.orders(&OrderFilter::default(), 10).await?;
        ledger.attempts(1).await?;
        ledger.refunds(1).await.map(drop)
    }

    #[tokio::test]
    async fn a_value_that_this_version_cannot_read_is_an_error_that_names_its_column() {
        let cases = [
            ("UPDATE orders SET state = 'frozen'", "state", "order state"),
            (
                "UPDATE orders SET products = 'native,palm'",
                "products",
                "product",
            ),
            ("UPDATE orders SET products = ''", "products", "product"),
            (
                "UPDATE orders SET total_fen = -1",
                "total_fen",
                "must be at least 0",
            ),
            (
                "UPDATE attempts SET state = 'lost'",
                "state",
                "attempt state",
            ),
            (
                "UPDATE attempts SET product = 'Native'",
                "product",
                "product",
            ),
            (
                "UPDATE attempts SET payer_total_fen = -5",
                "payer_total_fen",
                "must be at least 0",
            ),
            (
                "UPDATE orders SET order_no = 'A'",
                "order_no",
                "must be at least 6 bytes",
            ),
            (
                "UPDATE orders SET openid = 'a b'",
                "openid",
                "may only have characters of",
            ),
            (
                "UPDATE attempts SET out_trade_no = 'A/0001'",
                "out_trade_no",
                "may only have characters of",
            ),
            (
                "UPDATE attempts SET transaction_id = ''",
                "transaction_id",
                "must not be empty",
            ),
            (
                "UPDATE refunds SET out_refund_no = 'R 1'",
                "out_refund_no",
                "may only have characters of",
            ),
            (
                "UPDATE refunds SET refund_id = '5/1'",
                "refund_id",
                "may only have characters of",
            ),
            ("UPDATE attempts SET api = 'v4'", "api", "API"),
            ("UPDATE refunds SET api = 'V2'", "api", "API"),
            ("UPDATE refunds SET state = 'gone'", "state", "refund state"),
            (
                "UPDATE refunds SET origin = 'nobody'",
                "origin",
                "refund origin",
            ),
            (
                "UPDATE refunds SET refusals = -1",
                "refusals",
                "must not be negative",
            ),
        ];
        for (spoil, column, reason) in cases {
            let folder = tempfile::tempdir().unwrap();
            let ledger = ledger_with_rows(folder.path(), spoil).await;
            let error = read_all(&ledger).await.unwrap_err().to_string();
            let begin =
                format!("the column {column} holds a value that this version cannot read: ");
            assert!(error.starts_with(&begin), "{spoil}: {error}");
            assert!(error.contains(reason), "{spoil}: {error}");
        }
    }

    #[tokio::test]
    async fn rows_that_this_program_writes_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = ledger_with_rows(folder.path(), "").await;
        read_all(&ledger).await.unwrap();
    }
}
