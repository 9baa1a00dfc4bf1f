//! The private side, for the merchant's own backend (API key as Bearer, JSON both ways): creating
//! an order. The amount and the text come from this side and never from a browser.

mod extras;
pub(crate) mod link;
pub(crate) mod sub_order;

pub use extras::{Good, Goods, LimitPay, SceneInfo, SettleInfo, StoreInfo};
use payment_values::{Fen, OrderNo};
use serde::{Deserialize, Serialize};
pub use sub_order::SubOrder;

use crate::attempt_product::AttemptProduct;

/// `POST {base}/orders`. Unknown fields are refused, so that a misspelled amount is not ignored.
///
/// All of WeChat's own fields go to WeChat as they are, in the body of each attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreateOrder {
    /// The merchant's own number, 6 to 32 of `[0-9a-zA-Z_\-|*]`; if absent, the server creates one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_no: Option<String>,
    /// The price in fen, at least 1.
    pub total_fen: u64,
    /// What is bought, at most 127 bytes of UTF-8.
    pub description: String,
    /// Who is paid, as the buyer reads it: 1 to 64 characters, without control characters and without
    /// characters that turn the direction of writing round. If absent, the name that is configured for
    /// the merchant, or in partner mode for the sub-merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<String>,
    /// How long the order can be paid, in milliseconds; if absent, the server's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<u64>,
    /// The payer, if the shop knows the payer already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Payer>,
    /// The address to which the buyer returns, if the page does not name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
    /// The address to which the buyer is sent after a payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_url: Option<String>,
    /// The products for this order, if they are fewer than the merchant's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<Vec<AttemptProduct>>,
    /// The applications that the order is paid in, for a merchant with several of a kind: at most one
    /// official account, one mini-program and one app. Where none is named, it is the first one that
    /// is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appids: Option<Vec<String>>,
    /// Partner mode: the sub-merchant of the order. Required there, refused elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// Free text, at most 95 bytes of UTF-8. The order and every webhook contain it. WeChat gets it
    /// too, after `order_no` and a space, so that WeChat's records and bills name the order even if
    /// a later attempt has a number of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attach: Option<String>,
    /// WeChat's tag for coupons, at most 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods_tag: Option<String>,
    /// The ways to pay that are refused (指定支付方式). With it an order cannot be paid by `code_pay` with
    /// version 3 of WeChat's API, which has no such field there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_pay: Option<Vec<LimitPay>>,
    /// Whether the buyer can ask for an electronic invoice (电子发票).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support_fapiao: Option<bool>,
    /// The goods, for coupons on single goods; at most 6144 bytes of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Goods>,
    /// The place of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<SceneInfo>,
    /// Profit sharing (分账).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_info: Option<SettleInfo>,
    /// The sub-orders of a combined order (合单支付), 2 to 10, in partner mode 1 to 50: the buyer pays once, and
    /// each sub-order is a payment of its own, with its own refunds. With them the order has no `sub_mchid`, `attach`,
    /// `goods_tag`, `limit_pay`, `support_fapiao`, `detail`, `settle_info` and `scene_info.store_info`, and
    /// cannot be paid by `code_pay`. Needs version 3 of WeChat's API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_orders: Option<Vec<SubOrder>>,
}

/// The payer, if the shop knows the payer. A buyer has another openid for each appid, so exactly
/// one of the two fields is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Payer {
    /// The buyer's openid for the merchant's own appid (partner mode: for the provider's appid,
    /// sent as `sp_openid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<String>,
    /// Partner mode: the buyer's openid for the sub-merchant's appid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_openid: Option<String>,
}

/// The answer to `POST {base}/orders`: 201 for a new order, 200 if the same order existed already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CreatedOrder {
    /// The merchant's own number.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// The token for the page's element. It cannot be guessed, and is valid only for this order.
    pub token: String,
    /// The hosted page, for shops that embed no element.
    pub checkout_url: String,
    /// The price in fen.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub total_fen: Fen,
    /// How long the order can still be paid, in milliseconds.
    pub remaining_ms: u64,
    /// `false` if the gateway is a simulator.
    pub live: bool,
}
