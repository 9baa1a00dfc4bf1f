//! Records notifications. Each notification is recorded by its id, in one transaction with its
//! effect, so that a notification that comes twice has one effect.

use ledger_database::query;
use merchant_api::{WebhookEvent, WechatEventData};

use super::{Ledger, LedgerError, Write, outbox};

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

/// A notification that is neither a payment's nor a refund's, as the backend gets it.
#[derive(Debug)]
pub(crate) struct NotifiedEvent {
    /// Without openids.
    pub(crate) for_all: WechatEventData,
    /// Whole, for the targets that get payers.
    pub(crate) with_payer: WechatEventData,
    /// It is kept for a person too.
    pub(crate) is_kept: bool,
}

impl Ledger {
    /// Records an event in one transaction with its message. Returns whether it is new.
    pub(crate) async fn record_event(
        &self,
        event: &NotifiedEvent,
        now_ms: i64,
    ) -> Result<bool, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let data = &event.for_all;
            let is_known = query("SELECT 1 FROM notifications WHERE merchant = ? AND id = ?")
                .bind(self.merchant)
                .bind(&data.id)
                .exists(&mut write)
                .await?;
            let with_payer = (event.with_payer != *data)
                .then(|| WebhookEvent::WechatEvent(event.with_payer.clone()));
            let for_all = WebhookEvent::WechatEvent(data.clone());
            outbox::put_both(&mut write, for_all, with_payer, &data.id, now_ms).await?;
            let evidence = Evidence::Notification {
                id: data.id.clone(),
                event_type: data.event_type.clone(),
            };
            let outcome = if event.is_kept { KEPT } else { "event" };
            let numbers = Numbers::default();
            keep_notification(&mut write, &evidence, numbers, outcome, now_ms).await?;
            write.commit().await?;
            Ok(!is_known)
        })
        .await
    }
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
        "INSERT INTO notifications (merchant, id, received_ms, event_type, out_trade_no,
                                    transaction_id, out_refund_no, outcome)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(write.merchant())
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
         WHERE merchant = ?3 AND id = ?1 AND done_ms IS NULL",
    )
    .bind(id)
    .bind(now_ms)
    .bind(write.merchant())
    .execute(&mut *write)
    .await?;
    Ok(())
}
