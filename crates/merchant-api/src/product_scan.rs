//! A scan of a product code without a price (Native mode 1): what the server asks the merchant's backend,
//! and the answer. It is one call while the buyer waits, and no message of the outbox.

use serde::{Deserialize, Serialize};

/// The data of the signed message `product.scanned`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ScanQuestion<'a> {
    /// The same for a repeated call about the same scan. The answer has to be the same, too.
    pub scan_id: &'a str,
    /// The merchant's number of the goods.
    pub product_id: &'a str,
    /// The name that the code was added with.
    pub name: &'a str,
    /// The buyer, under the merchant's appid.
    pub openid: &'a str,
    /// Whether the buyer follows the official account, if WeChat says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_subscribed: Option<bool>,
}

/// The backend's answer: either `total_fen`, or a `refusal`. Unknown fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanConfirmation {
    /// The price in fen.
    pub total_fen: Option<u64>,
    /// What is bought; if absent, the code's name.
    pub description: Option<String>,
    /// The merchant's own number of the order; if absent, the server makes one.
    pub order_no: Option<String>,
    /// The backend's own text; if absent, the goods' number.
    pub attach: Option<String>,
    /// Why the goods cannot be bought now: WeChat shows it to the buyer, 128 bytes at most.
    pub refusal: Option<String>,
}
