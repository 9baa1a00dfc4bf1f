//! Records notifications. Each notification is recorded by its id, in one transaction with its
//! effect, so that a notification that comes twice has one effect.

use super::{LedgerError, Write};
use ledger_database::query;

/// The source of a report. A notification is recorded by its id in the same transaction as its
/// effect.
#[derive(Clone, Debug)]
pub(crate) enum Evidence {
    /// WeChat sent a notification.
    Notification {
        /// WeChat's id, the same on every try.
        id: String,
        /// WeChat's `event_type`.
        event_type: String,
    },
    /// WeChat answered a query.
    Query,
}

/// The numbers that a notification names. They are evidence and plain texts: they may break every
/// rule.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers<'a> {
    pub(super) out_trade_no: Option<&'a str>,
    pub(super) transaction_id: Option<&'a str>,
    pub(super) out_refund_no: Option<&'a str>,
}

pub(super) async fn keep_notification(
    write: &mut Write,
    evidence: &Evidence,
    numbers: Numbers<'_>,
    outcome: &'static str,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let Evidence::Notification { id, event_type } = evidence else {
        return Ok(());
    };
    query(
        "INSERT INTO notifications (id, received_ms, event_type, out_trade_no, transaction_id,
                                    out_refund_no, outcome)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(id)
    .bind(now_ms)
    .bind(event_type)
    .bind(numbers.out_trade_no)
    .bind(numbers.transaction_id)
    .bind(numbers.out_refund_no)
    .bind(outcome)
    .execute(&mut *write)
    .await?;
    close_understood(write, id, outcome, now_ms).await
}

/// The outcome of a notification that is stored for a person.
pub(super) const KEPT: &str = "kept";

/// Resolves a notification that was stored as unreadable, came again and was understood.
async fn close_understood(
    write: &mut Write,
    id: &str,
    outcome: &str,
    now_ms: i64,
) -> Result<(), LedgerError> {
    if outcome == KEPT {
        return Ok(());
    }
    query(
        "UPDATE kept_notifications SET done_ms = ?2, note = COALESCE(note, 'understood later')
         WHERE id = ?1 AND done_ms IS NULL",
    )
    .bind(id)
    .bind(now_ms)
    .execute(&mut *write)
    .await?;
    Ok(())
}
