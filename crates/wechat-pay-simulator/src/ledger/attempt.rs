//! Attempts to pay: each visit to an order's cashier and its result. They show people why an order
//! is not paid; the simulator itself does not use them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::visit::{Outcome, PayRefusal, Target};

/// One visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) at: Timestamp,
    /// The buyer's openid under the order's application.
    pub(crate) openid: String,
    pub(crate) way: Way,
    pub(crate) result: AttemptResult,
}

/// The way to the cashier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    Code,
    PrepayId,
    H5Page,
    /// Without a link: by the control interface, or with the password on the phone.
    Number,
}

/// The result of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AttemptResult {
    Paid,
    Cancelled,
    Failed,
    /// The cashier did not open.
    Refused(PayRefusal),
}

impl Way {
    pub(crate) fn of(target: &Target) -> Self {
        match target {
            Target::CodeUrl(_) => Self::Code,
            Target::PrepayId(_) => Self::PrepayId,
            Target::H5 { .. } => Self::H5Page,
            Target::Order(_) | Target::Late(_) => Self::Number,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code_url",
            Self::PrepayId => "prepay_id",
            Self::H5Page => "h5_url",
            Self::Number => "out_trade_no",
        }
    }
}

impl AttemptResult {
    pub(crate) fn of(visited: Result<Outcome, PayRefusal>) -> Self {
        match visited {
            Ok(Outcome::Success) => Self::Paid,
            Ok(Outcome::Cancel) => Self::Cancelled,
            Ok(Outcome::Fail) => Self::Failed,
            Err(refusal) => Self::Refused(refusal),
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "PAID",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
            Self::Refused(refusal) => refusal.code(),
        }
    }
}
