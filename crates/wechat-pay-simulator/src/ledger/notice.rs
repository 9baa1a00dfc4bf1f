//! A notification that is on its way to a merchant: when the next try is due, and how the past
//! ones went. The sealed body is not kept: each try seals and signs anew.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::after;

/// The waits between one try and the next: 16 tries in 24 hours and 4 minutes.
pub(crate) const RETRY_WAITS_S: [i64; 15] = [
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600,
];

/// What a notification says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum NoticeKind {
    Paid,
    RefundSuccess,
    RefundAbnormal,
    RefundClosed,
    /// The older XML form, for a refund without a `notify_url`.
    RefundXml,
}

impl NoticeKind {
    /// WeChat's event; of the XML form, which has none, a name for people.
    pub(crate) fn event_type(self) -> &'static str {
        match self {
            Self::Paid => "TRANSACTION.SUCCESS",
            Self::RefundSuccess => "REFUND.SUCCESS",
            Self::RefundAbnormal => "REFUND.ABNORMAL",
            Self::RefundClosed => "REFUND.CLOSED",
            Self::RefundXml => "V2 XML REFUND",
        }
    }

    pub(crate) fn summary(self) -> &'static str {
        match self {
            Self::Paid => "支付成功",
            Self::RefundSuccess | Self::RefundXml => "退款成功",
            Self::RefundAbnormal => "退款异常",
            Self::RefundClosed => "退款关闭",
        }
    }

    pub(crate) fn original_type(self) -> &'static str {
        match self {
            Self::Paid => "transaction",
            _ => "refund",
        }
    }
}

/// A notification.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Notice {
    pub(crate) id: String,
    pub(crate) kind: NoticeKind,
    pub(crate) url: String,
    pub(crate) created_at: Timestamp,
    /// What is sealed: the transaction, or the refund, as it was then.
    pub(crate) plaintext: String,
    pub(crate) tries: Vec<Try>,
    pub(crate) acked: bool,
    /// `None` once it was acknowledged, or given up.
    pub(crate) due_at: Option<Timestamp>,
    /// A try is under way: nobody else may make one.
    #[serde(skip)]
    pub(crate) in_flight: bool,
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Try {
    /// When it was due.
    pub(crate) due_at: Timestamp,
    /// The merchant's status, or why there was none.
    pub(crate) outcome: TryOutcome,
}

/// How a try went.
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

    /// Puts the next try off, or where `due_at` is past, on at once.
    pub(crate) fn put_off(&mut self, due_at: Timestamp) {
        if self.due_at.is_some() {
            self.due_at = Some(due_at);
        }
        self.in_flight = false;
    }

    /// Writes a try down and sets the next. The wait counts from when the try was *due*, so that
    /// a clock that jumps leaves the schedule as it is.
    pub(crate) fn record(&mut self, outcome: TryOutcome) {
        self.in_flight = false;
        let Some(due_at) = self.due_at.take() else {
            return;
        };
        if outcome.acknowledges() {
            self.acked = true;
        } else {
            let wait_s = RETRY_WAITS_S.get(self.tries.len());
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
    fn after_the_sixteenth_try_it_is_given_up() {
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
