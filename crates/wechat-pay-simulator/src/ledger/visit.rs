//! A buyer's visit to the cashier as data: the target, the buyer's choice, the refusal.
//!
//! The rules are in [`super::cashier`].

use serde::{Deserialize, Serialize};

use super::order::OrderKey;

/// The ways to a cashier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    CodeUrl(String),
    PrepayId(String),
    H5 {
        prepay_id: String,
        package: String,
    },
    /// By number, without a link: the control interface, and the phone that asks for a password.
    Order(OrderKey),
    /// By number, also if the order is closed or expired: a late payment.
    Late(OrderKey),
}

/// What the buyer does in the cashier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Confirms, and the payment is made.
    Success,
    /// Cancels the payment.
    Cancel,
    /// Confirms, and the bank refuses.
    Fail,
}

/// Why a payment is refused. The order does not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PayRefusal {
    /// The order or link does not exist.
    Unknown,
    /// The link has expired or was replaced.
    LinkExpired,
    /// The order's deadline has passed.
    OrderExpired,
    /// The order is closed.
    Closed,
    /// The order is paid.
    Paid,
    /// Another buyer placed the order.
    OtherPayer,
}

impl PayRefusal {
    /// The code for programs, and in the ledger.
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
