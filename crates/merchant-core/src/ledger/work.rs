//! The kinds of due work in the table `due_work`, and the lanes that they run on. What a piece of
//! work does is in `due_work.rs` of the crate.

use std::str::FromStr;

use super::column::{UnknownWord, stored};

/// The kinds of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Query WeChat about an order's current attempt.
    QueryAttempt,
    /// End an order's attempt: the order expired, the merchant closes it, or another attempt was
    /// paid.
    EndOrder,
    /// Query WeChat about an unmatched payment.
    QueryMismatch,
    /// Send a refund, and query it until it is final.
    Refund,
    /// Query WeChat about a refund that was made elsewhere, or that does not match.
    LearnRefund,
    /// Refund a duplicate payment.
    RefundSurplus,
    /// Deliver a webhook message to the merchant's backend.
    SendWebhook,
    /// Give WeChat the shipping of an order.
    UploadShipping,
    /// Send a share, a release or a return, and query it until it is final.
    Share,
}

impl Work {
    const ALL: [Self; 9] = [
        Self::QueryAttempt,
        Self::EndOrder,
        Self::QueryMismatch,
        Self::Refund,
        Self::LearnRefund,
        Self::RefundSurplus,
        Self::SendWebhook,
        Self::UploadShipping,
        Self::Share,
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
            Self::UploadShipping => "upload_shipping",
            Self::Share => "share",
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

/// Work of different lanes does not wait for each other: a slow backend delays no query to WeChat,
/// two thousand orders that end delay no query about a payment, and neither delays a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Queries of attempts: they find payments whose notification was lost.
    Queries,
    /// Ending orders, each of which takes two calls.
    Ends,
    /// Refunds, shares and unmatched payments.
    Refunds,
    /// Calls to the merchant's backend.
    Backend,
    /// Shippings, on a host of WeChat's that has nothing to do with payments.
    Shippings,
}

impl Lane {
    pub(crate) const ALL: [Self; 5] = [
        Self::Queries,
        Self::Ends,
        Self::Refunds,
        Self::Backend,
        Self::Shippings,
    ];

    /// The kinds of its work, each a [`Work::as_str`] in quotes. A statement looks for a kind with its
    /// quotes in this text: an index of kinds would only keep it from the index of times.
    pub(crate) const fn kinds(self) -> &'static str {
        match self {
            Self::Queries => r#"["query_attempt"]"#,
            Self::Ends => r#"["end_order"]"#,
            Self::Refunds => {
                r#"["query_mismatch","refund","learn_refund","refund_surplus","share"]"#
            }
            Self::Backend => r#"["send_webhook"]"#,
            Self::Shippings => r#"["upload_shipping"]"#,
        }
    }
}
