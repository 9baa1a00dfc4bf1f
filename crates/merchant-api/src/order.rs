//! The private side, for the merchant's own backend (API key as Bearer, JSON both ways).
//! Amount and text come from here and never from a browser.

use crate::answer::Product;
use serde::{Deserialize, Serialize};

/// `POST {base}/orders`. Unknown fields are refused: a misspelt amount must not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateOrder {
    /// The merchant's own number, 6 to 32 of `[0-9a-zA-Z_\-|*]`; made by the server when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// The price in fen, at least 1.
    pub total_fen: u64,
    /// What is bought, at most 127 bytes of UTF-8.
    pub description: String,
    /// How long it can be paid, in milliseconds; the server's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<u64>,
    /// Who pays, where the shop knows the openid already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Payer>,
    /// Where the buyer comes back to, where the page does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// Where the buyer goes after a payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_url: Option<String>,
    /// Fewer products than the merchant has, for this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<Vec<Product>>,
    /// Free text that comes back with the notification, at most 128 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
}

/// The payer, where the shop knows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Payer {
    /// WeChat's name for this buyer under the merchant's appid.
    pub openid: String,
}

/// The answer to `POST {base}/orders`: 201 when it is new, 200 when the very same was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedOrder {
    /// The merchant's own number.
    pub order_no: String,
    /// What the page's element gets; unguessable, good for this one order.
    pub token: String,
    /// The hosted page, for shops that embed nothing.
    pub checkout_url: String,
    /// The price in fen.
    pub total_fen: u64,
    /// How long it can still be paid, in milliseconds.
    pub remaining_ms: u64,
    /// `false` when the gateway is a simulator.
    pub live: bool,
}
