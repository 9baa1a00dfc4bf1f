//! The private side, for the merchant's own backend (API key as Bearer, JSON both ways): creating
//! an order. The amount and the text come from this side and never from a browser.

use payment_values::{Fen, OrderNo};
use serde::{Deserialize, Serialize};

use crate::attempt_product::AttemptProduct;
use crate::order_extras::{Goods, SceneInfo, SettleInfo};

/// `POST {base}/orders`. Unknown fields are refused: a misspelt amount must not pass.
///
/// All of WeChat's own fields go to WeChat as they are, in the body of each attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Who pays, where the shop knows it already.
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
    pub products: Option<Vec<AttemptProduct>>,
    /// Partner mode: whom the order is for. Required there, refused elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// Free text, at most 95 bytes of UTF-8. It comes back with the order and with every webhook.
    /// WeChat gets it too, behind `order_no` and a blank: what people find in WeChat's records and
    /// bills names the order also where a later attempt has a number of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// WeChat's mark for coupons, at most 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_tag: Option<String>,
    /// Whether the buyer can ask for an electronic invoice (电子发票).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_fapiao: Option<bool>,
    /// The goods, for coupons on single ones; at most 6144 bytes of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Goods>,
    /// Where it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<SceneInfo>,
    /// Profit sharing (分账).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_info: Option<SettleInfo>,
}

/// The payer, where the shop knows them. One buyer has another openid under each appid, so
/// exactly one of the two is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Payer {
    /// WeChat's name for this buyer under the merchant's own appid (partner mode: the provider's,
    /// sent as `sp_openid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
    /// Partner mode: under the sub-merchant's appid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_openid: Option<String>,
}

/// The answer to `POST {base}/orders`: 201 when it is new, 200 when the very same was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedOrder {
    /// The merchant's own number.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// What the page's element gets; unguessable, good for this one order.
    pub token: String,
    /// The hosted page, for shops that embed nothing.
    pub checkout_url: String,
    /// The price in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
    /// How long it can still be paid, in milliseconds.
    pub remaining_ms: u64,
    /// `false` when the gateway is a simulator.
    pub live: bool,
}
