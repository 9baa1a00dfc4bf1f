//! A notification to a merchant: when its next delivery is due, and the results of past ones. The
//! sealed body is not stored: each delivery is sealed and signed again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::after;

/// The waits between deliveries: 16 deliveries in 24 hours and 4 minutes.
pub(crate) const RETRY_WAITS_S: [i64; 15] = [
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
];

/// The waits between deliveries in the form of version 2: 10 deliveries in about three hours.
/// Source: WeChat's documents of version 2 before they took over the longer schedule.
pub(crate) const V2_RETRY_WAITS_S: [i64; 9] = [15, 15, 30, 180, 1800, 1800, 1800, 1800, 3600];

/// The kind of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NoticeKind {
    Paid,
    /// The XML form of version 2, for an order of version 2.
    PaidXml,
    RefundSuccess,
    RefundAbnormal,
    RefundClosed,
    /// A share arrived at a receiver.
    Shared,
    /// A share went back from a receiver.
    ShareReturned,
    /// The XML form of version 2, for a refund without a `notify_url` or of version 2.
    RefundXml,
}

impl NoticeKind {
    /// WeChat's event; the XML form has none and gets a name for people.
    pub(crate) fn event_type(self) -> &'static str {
        match self {
            // Observed: a notice of shares has the event of a payment.
            Self::Paid | Self::Shared | Self::ShareReturned => "TRANSACTION.SUCCESS",
            Self::PaidXml => "V2 XML PAYMENT",
            Self::RefundSuccess => "REFUND.SUCCESS",
            Self::RefundAbnormal => "REFUND.ABNORMAL",
            Self::RefundClosed => "REFUND.CLOSED",
            Self::RefundXml => "V2 XML REFUND",
        }
    }

    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::Paid | Self::PaidXml => "支付成功",
            Self::RefundSuccess | Self::RefundXml => "退款成功",
            Self::RefundAbnormal => "退款异常",
            Self::RefundClosed => "退款关闭",
            Self::Shared => "分账",
            Self::ShareReturned => "分账回退",
        }
    }

    pub(crate) fn original_type(self) -> &'static str {
        match self {
            Self::Paid | Self::PaidXml => "transaction",
            Self::Shared | Self::ShareReturned => "profitsharing",
            _ => "refund",
        }
    }

    /// Whether it has the XML form of version 2.
    pub(crate) fn is_xml(self) -> bool {
        matches!(self, Self::PaidXml | Self::RefundXml)
    }

    fn retry_waits_s(self) -> &'static [i64] {
        if self.is_xml() {
            &V2_RETRY_WAITS_S
        } else {
            &RETRY_WAITS_S
        }
    }
}

/// A notification.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) id: String,
    pub(crate) kind: NoticeKind,
    pub(crate) url: String,
    /// The merchant that gets it, if it is not the order's.
    #[serde(default)]
    pub(crate) to: Option<String>,
    pub(crate) created_at: Timestamp,
    /// The content: the transaction or the refund at that time.
    pub(crate) plaintext: String,
    pub(crate) tries: Vec<Try>,
    pub(crate) acked: bool,
    /// `None` after it was acknowledged or has failed finally.
    pub(crate) due_at: Option<Timestamp>,
    /// A delivery is in progress: no other one may start.
    #[serde(skip)]
    pub(crate) in_flight: bool,
}

/// One delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Try {
    /// When the delivery was due.
    pub(crate) due_at: Timestamp,
    /// The merchant's status, or why there was no answer.
    pub(crate) outcome: TryOutcome,
}

/// The result of a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TryOutcome {
    Answered(u16),
    NoAnswer(String),
}

impl TryOutcome {
    fn acknowledges(&self) -> bool {
        matches!(self, Self::Answered(200 | 204))
    }
}

impl Notice {
    pub(crate) fn new(
        kind: NoticeKind,
        id: String,
        url: String,
        plaintext: String,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            url,
            to: None,
            created_at: now,
            plaintext,
            tries: Vec::new(),
            acked: false,
            due_at: Some(now),
            in_flight: false,
        }
    }

    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        !self.in_flight && self.due_at.is_some_and(|due_at| due_at <= now)
    }

    /// Sets when the next delivery is due.
    pub(crate) fn postpone(&mut self, due_at: Timestamp) {
        if self.due_at.is_some() {
            self.due_at = Some(due_at);
        }
        self.in_flight = false;
    }

    /// Records a delivery and schedules the next one. The wait counts from when the delivery was
    /// *due*, so that a jump of the clock does not change the schedule.
    pub(crate) fn record(&mut self, outcome: TryOutcome) {
        self.in_flight = false;
        let Some(due_at) = self.due_at.take() else {
            return;
        };
        if outcome.acknowledges() {
            self.acked = true;
        } else {
            let wait_s = self.kind.retry_waits_s().get(self.tries.len());
            self.due_at = wait_s.map(|wait_s| after(due_at, *wait_s));
        }
        self.tries.push(Try { due_at, outcome });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_add_up_to_24_hours_and_4_minutes() {
        assert_eq!(RETRY_WAITS_S.iter().sum::<i64>(), 24 * 3600 + 4 * 60);
    }

    #[test]
    fn only_200_and_204_acknowledge() {
        for (outcome, acked) in [
            (TryOutcome::Answered(200), true),
            (TryOutcome::Answered(204), true),
            (TryOutcome::Answered(201), false),
            (TryOutcome::Answered(302), false),
            (TryOutcome::Answered(400), false),
            (TryOutcome::Answered(500), false),
            (TryOutcome::NoAnswer("no answer in time".into()), false),
        ] {
            let now = Timestamp::UNIX_EPOCH;
            let mut notice = Notice::new(
                NoticeKind::Paid,
                "EV".into(),
                String::new(),
                String::new(),
                now,
            );
            notice.record(outcome.clone());
            assert_eq!(notice.acked, acked, "{outcome:?}");
            assert_eq!(
                notice.due_at,
                (!acked).then(|| after(now, 15)),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn there_is_no_delivery_after_the_sixteenth() {
        let start = Timestamp::UNIX_EPOCH;
        let mut notice = Notice::new(
            NoticeKind::Paid,
            "EV".into(),
            String::new(),
            String::new(),
            start,
        );
        for _ in 0..16 {
            assert!(notice.due_at.is_some());
            notice.record(TryOutcome::Answered(500));
        }
        assert_eq!((notice.due_at, notice.acked), (None, false));
        assert_eq!(
            notice.tries.last().map(|last| last.due_at),
            Some(after(start, 24 * 3600 + 4 * 60))
        );
    }
}
