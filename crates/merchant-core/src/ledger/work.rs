//! The kinds of due work, and the lanes that they are done on: words of the table `due_work`. What a
//! piece of work does is not known here.

use std::str::FromStr;

use super::column::{UnknownWord, stored};

/// The kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Ask WeChat about an order's current attempt.
    QueryAttempt,
    /// End an order: its time is over, the merchant wants it, or it is paid by another attempt.
    EndOrder,
    /// Ask WeChat about a payment that fits nothing.
    QueryMismatch,
    /// Bring a refund on its way, and ask about it until its end.
    Refund,
    /// Ask WeChat about a refund that somebody else made, or that does not fit.
    LearnRefund,
    /// Give back a payment that came too much.
    RefundSurplus,
    /// Tell the merchant's backend.
    SendWebhook,
}

impl Work {
    const ALL: [Self; 7] = [
        Self::QueryAttempt,
        Self::EndOrder,
        Self::QueryMismatch,
        Self::Refund,
        Self::LearnRefund,
        Self::RefundSurplus,
        Self::SendWebhook,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::QueryAttempt => "query_attempt",
            Self::EndOrder => "end_order",
            Self::QueryMismatch => "query_mismatch",
            Self::Refund => "refund",
            Self::LearnRefund => "learn_refund",
            Self::RefundSurplus => "refund_surplus",
            Self::SendWebhook => "send_webhook",
        }
    }
}

impl FromStr for Work {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.into_iter().find(|work| work.as_str() == word);
        known.ok_or(UnknownWord("kind of work"))
    }
}

stored! {
    Work: str::parse,
}

/// What does not wait for what: a backend that is slow to answer holds up no question to WeChat,
/// two thousand orders that end hold up no question about a payment, and neither holds up a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Asking about attempts: a payment whose notification is lost becomes known here.
    Queries,
    /// Ending orders, each of which takes two calls.
    Ends,
    /// Refunds, and money that fits nothing.
    Refunds,
    /// Calls to the merchant's backend.
    Backend,
}

impl Lane {
    pub(crate) const ALL: [Self; 4] = [Self::Queries, Self::Ends, Self::Refunds, Self::Backend];

    /// The kinds of its work, as a JSON array of [`Work::as_str`]s.
    pub(crate) const fn kinds(self) -> &'static str {
        match self {
            Self::Queries => r#"["query_attempt"]"#,
            Self::Ends => r#"["end_order"]"#,
            Self::Refunds => r#"["query_mismatch","refund","learn_refund","refund_surplus"]"#,
            Self::Backend => r#"["send_webhook"]"#,
        }
    }
}
