//! What happened around an order besides its own rows: WeChat's notifications, and the messages to the
//! merchant's backend. This module only reads.

use ledger_database::{query_as, row};
use merchant_api::RefundOrigin;

use super::outbox::{NOTICE_TYPE, message_id};
use super::{Attempt, Ledger, LedgerError, Order, Refund, Share, Webhook};

/// How many notifications of one payment are shown. WeChat sends each about fifteen times.
const NOTIFICATIONS_MAX: u32 = 200;
/// How many repetitions of one refund are looked for.
const REPEATS_MAX: u64 = 20;

/// A notification that was recorded.
#[derive(Clone, Debug)]
pub(crate) struct NotificationRow {
    pub(crate) received_ms: i64,
    pub(crate) event_type: String,
    pub(crate) out_refund_no: Option<String>,
    pub(crate) outcome: String,
}

row! {
    NotificationRow { received_ms, event_type, out_refund_no, outcome }
}

impl Ledger {
    /// The notifications that name this payment, oldest first.
    pub(crate) async fn notifications_of(
        &self,
        out_trade_no: &str,
    ) -> Result<Vec<NotificationRow>, LedgerError> {
        let found = query_as(
            "SELECT received_ms, event_type, out_refund_no, outcome FROM notifications
             WHERE merchant = ? AND out_trade_no = ? ORDER BY received_ms, id LIMIT ?",
        )
        .bind(self.merchant)
        .bind(out_trade_no)
        .bind(NOTIFICATIONS_MAX)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// The messages about an order that were written, by the ids that they can have.
    pub(crate) async fn webhooks_of(
        &self,
        order: &Order,
        attempts: &[Attempt],
        refunds: &[Refund],
        shares: &[Share],
    ) -> Result<Vec<Webhook>, LedgerError> {
        let ids: Vec<_> = webhook_keys(order, attempts, refunds)
            .into_iter()
            .chain(shares.iter().flat_map(share_keys))
            .map(|(event_type, key)| message_id(self.merchant, event_type, &key))
            .collect();
        self.webhooks_by_id(&ids).await
    }
}

/// The types and keys of all messages that an order, its attempts and its refunds can have caused.
fn webhook_keys(
    order: &Order,
    attempts: &[Attempt],
    refunds: &[Refund],
) -> Vec<(&'static str, String)> {
    let mut ids = vec![("order.closed", order.order_no.to_string())];
    for number in attempts.iter().filter_map(|it| it.transaction_id.as_ref()) {
        for event_type in ["payment.succeeded", "payment.surplus", NOTICE_TYPE] {
            ids.push((event_type, number.to_string()));
        }
    }
    for refund in refunds {
        // Each time that it became abnormal or was refused again is a message of its own.
        let refusals_max = match refund.origin {
            RefundOrigin::Surplus => 0,
            RefundOrigin::Merchant | RefundOrigin::External => refund.refusals.min(REPEATS_MAX),
        };
        for applications in 0..=refund.applications.min(REPEATS_MAX) {
            for refusals in 0..=refusals_max {
                let key = format!("{}\n{applications}\n{refusals}", refund.out_refund_no);
                for event_type in [
                    "refund.succeeded",
                    "refund.closed",
                    "refund.abnormal",
                    "refund.refused",
                ] {
                    ids.push((event_type, key.clone()));
                }
            }
        }
    }
    ids
}

/// The same for a share, a release or a return: each refusal is a message of its own.
fn share_keys(share: &Share) -> Vec<(&'static str, String)> {
    let mut ids = Vec::new();
    for refusals in 0..=share.refusals.min(REPEATS_MAX) {
        let key = format!("{}\n{refusals}", share.number);
        for event_type in [
            "share.finished",
            "share.refused",
            "share.returned",
            "share.return_failed",
        ] {
            ids.push((event_type, key.clone()));
        }
    }
    ids
}
