//! Payment links, on the private side: an address that the merchant gives away or prints. Its page shows
//! what is sold; the page's button makes an order and leads to the order's hosted page.

use serde::{Deserialize, Serialize};

use super::extras::{LimitPay, SettleInfo};
use crate::attempt_product::AttemptProduct;

/// `POST {base}/links`. The amount is either fixed (`total_fen`), or the buyer chooses it (`max_fen`, and
/// `min_fen` where 0.01 yuan is too little). A link never changes; it can be disabled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateLink {
    /// The merchant's own number of the link, 6 to 32 of `[0-9a-zA-Z_\-|*]`. The same number with the
    /// same values is the same link, however often it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_no: Option<String>,
    /// What is sold, at most 127 bytes of UTF-8: the description of each order.
    pub description: String,
    /// A fixed price in fen, 1 to 1000000000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_fen: Option<u64>,
    /// An open amount: the least that the buyer may choose, in fen; if absent, 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_fen: Option<u64>,
    /// An open amount: the most that the buyer may choose, in fen, at most 1000000000. Required for an
    /// open amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fen: Option<u64>,
    /// How many orders of the link can be paid, 1 to 100000; if absent, any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_max: Option<u64>,
    /// Until when the link can be used, RFC 3339; if absent, until it is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The buyer may leave a note of at most so many characters, 1 to 200; if absent, there is no note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note_max_chars: Option<u64>,
    /// How long each order can be paid, in milliseconds; if absent, the server's default. No order can
    /// be paid for longer than the link is valid, but each has at least a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_expires_in_ms: Option<u64>,
    /// The shop's address, to which the link's page leads back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// The address to which the buyer is sent after a payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_url: Option<String>,
    /// The products of each order, if they are fewer than the merchant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<Vec<AttemptProduct>>,
    /// The applications that each order is paid in, as in an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appids: Option<Vec<String>>,
    /// Partner mode: the sub-merchant of each order. Required there, refused elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// The backend's own text in each order, at most 95 bytes of UTF-8. No buyer sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// WeChat's tag for coupons, at most 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_tag: Option<String>,
    /// The ways to pay that are refused (指定支付方式).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_pay: Option<Vec<LimitPay>>,
    /// Whether the buyer can ask for an electronic invoice (电子发票).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_fapiao: Option<bool>,
    /// Profit sharing (分账).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_info: Option<SettleInfo>,
}

/// The state of a payment link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LinkState {
    /// The next buyer can use it.
    Active,
    /// No use is left. A use that an open order holds comes back if that order is closed unpaid.
    UsedUp,
    /// Its time is over.
    Expired,
    /// The merchant disabled it.
    Disabled,
}

/// A payment link: `GET {base}/links/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkDetails {
    /// The server's name of the link. It cannot be guessed.
    pub id: String,
    /// The address to give away.
    pub url: String,
    /// The state.
    pub state: LinkState,
    /// How many orders hold a use without being paid yet.
    pub uses_open: u64,
    /// How many orders of the link were paid. A refund gives no use back.
    pub uses_paid: u64,
    /// When the link was created, RFC 3339.
    pub created_at: String,
    /// When it was disabled, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<String>,
    /// `false` if the gateway is a simulator.
    pub live: bool,
    /// As given.
    #[serde(flatten)]
    pub given: CreateLink,
}

/// Links, newest first: `GET {base}/links`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LinkList {
    /// The links.
    pub links: Vec<LinkDetails>,
    /// The value of `before` for the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_before: Option<String>,
}
