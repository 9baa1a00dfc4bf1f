//! Due notifications: each delivery is handed out once, and its result is recorded.

use jiff::Timestamp;

use super::Ledger;
use super::document::Document;
use super::notice::{Notice, TryOutcome};
use super::order::{Order, OrderKey, Protocol, ReplyKey};

/// A delivery that is due.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) order: OrderKey,
    pub(crate) notice: Notice,
    pub(crate) reply_key: ReplyKey,
    /// The protocol of the order.
    pub(crate) protocol: Protocol,
}

impl Ledger {
    /// The due deliveries, each handed out once.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Delivery> {
        let mut due = Vec::new();
        for key in &self.notices_open {
            let Some(entry) = self.orders.get_mut(key) else {
                continue;
            };
            for notice in &mut entry.notices {
                if notice.is_due(now) {
                    notice.in_flight = true;
                    due.push(Delivery {
                        order: key.clone(),
                        notice: notice.clone(),
                        reply_key: reply_key(notice, &entry.order),
                        protocol: entry.order.request.protocol,
                    });
                }
            }
        }
        due
    }

    /// Returns deliveries that were not made: they are due again.
    pub(crate) fn return_due(&mut self, due: &[Delivery]) {
        for Delivery { order, notice, .. } in due {
            self.with_notice(order, &notice.id, |notice| notice.in_flight = false);
        }
    }

    /// Records the result of a delivery.
    pub(crate) fn record_try(&mut self, order: &OrderKey, notice_id: &str, outcome: TryOutcome) {
        self.with_notice(order, notice_id, |notice| notice.record(outcome));
    }

    /// Nothing was sent: the delivery becomes due later.
    pub(crate) fn postpone(&mut self, order: &OrderKey, notice_id: &str, due_at: Timestamp) {
        self.with_notice(order, notice_id, |notice| notice.postpone(due_at));
    }

    /// When the next notification, or the next result of a refund or a share, is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let notices = self
            .notices_open
            .iter()
            .filter_map(|key| self.orders.get(key))
            .flat_map(|entry| &entry.notices)
            .filter(|notice| !notice.in_flight)
            .filter_map(|notice| notice.due_at);
        notices
            .chain(self.refund_results_due())
            .chain(self.share_results_due())
            .min()
    }

    fn with_notice(&mut self, order: &OrderKey, notice_id: &str, change: impl FnOnce(&mut Notice)) {
        let Some(entry) = self.orders.get_mut(order) else {
            return;
        };
        if let Some(notice) = entry.notices.iter_mut().find(|n| n.id == notice_id) {
            change(notice);
            self.changed.insert(Document::Order(order.clone()));
        }
        if entry.notices.iter().all(|notice| notice.due_at.is_none()) {
            self.notices_open.remove(order);
        }
    }
}

/// The key that the notified merchant asked for. Another merchant than the order's asked for none, whatever
/// the order says: only its own migration decides.
fn reply_key(notice: &Notice, order: &Order) -> ReplyKey {
    match &notice.to {
        Some(to) if *to != order.request.key.mchid => ReplyKey::PlatformCertificate,
        _ => order.request.reply_key,
    }
}
