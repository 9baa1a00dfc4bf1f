//! A buyer's visit at the cashier as data: the way there, what the buyer does, why it is refused.
//!
//! The rules are in [`super::cashier`].

use serde::{Deserialize, Serialize};

use super::order::OrderKey;

/// How a cashier is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    CodeUrl(String),
    PrepayId(String),
    H5 {
        prepay_id: String,
        package: String,
    },
    /// By number, past any link: the control interface, and the phone that asks for a password.
    Order(OrderKey),
    /// The same, and also where it is closed or expired: money that lands late.
    Late(OrderKey),
}

/// What the buyer does in the cashier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Confirms, and the money moves.
    Success,
    /// Turns back.
    Cancel,
    /// Confirms, and the bank says no.
    Fail,
}

/// Why a payment is not made. The order stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PayRefusal {
    /// There is no such order or link.
    Unknown,
    /// The link is too old, or was replaced by another.
    LinkExpired,
    /// The order's deadline has passed.
    OrderExpired,
    /// The order is closed.
    Closed,
    /// The order is paid.
    Paid,
    /// Another buyer ordered.
    OtherPayer,
}

impl PayRefusal {
    /// Its name for programs, and in the ledger.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Unknown => "ORDER_UNKNOWN",
            Self::LinkExpired => "LINK_EXPIRED",
            Self::OrderExpired => "ORDER_EXPIRED",
            Self::Closed => "ORDER_CLOSED",
            Self::Paid => "ORDER_PAID",
            Self::OtherPayer => "PAYER_MISMATCH",
        }
    }
}
