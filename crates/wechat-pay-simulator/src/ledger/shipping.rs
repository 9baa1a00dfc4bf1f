//! What merchants say that they sent to the buyer of a payment.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A shipping as a merchant uploaded it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) logistics_type: u8,
    pub(crate) delivery_mode: u8,
    pub(crate) is_all_delivered: bool,
    pub(crate) parcels: Value,
    pub(crate) uploaded_at: Timestamp,
}

/// The shipping of a payment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Shipping {
    pub(super) uploads: Vec<Upload>,
    /// It was changed after it was complete, or its mode was.
    pub(super) is_changed: bool,
}

/// Why an upload is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShippingRefusal {
    /// The same was uploaded before.
    Unchanged,
    /// A shipping can be changed once, and it was.
    ChangedBefore,
    /// An upload with a later time came before.
    Older,
}
