//! The private side: the backend itself starts an attempt, for an app, a mini-program, a till, or
//! its own page.

use payment_values::OrderNo;
use serde::{Deserialize, Serialize};

use crate::answer::{OrderState, PayParameters};
use crate::attempt_product::AttemptProduct;
use crate::order::Payer;
use crate::order_details::AttemptDetails;

/// `POST {base}/orders/{order_no}/attempts`. Unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartAttempt {
    /// The product of the attempt.
    pub product: AttemptProduct,
    /// The number of the last attempt that the caller has seen; 0 or absent: none. It is required
    /// to replace an open attempt with another product, payer or code, so that nobody takes over
    /// silently.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The application of this attempt, for a merchant with several of a kind. If absent: the one that
    /// the order names, or the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appid: Option<String>,
    /// jsapi and `mini_program`: the payer. For `mini_program` the openid is for the mini-program's
    /// own appid. If absent for jsapi: the order's payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Payer>,
    /// `mini_program`, instead of `payer`: the code of `wx.login`, which can be used once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `code_pay`: the 18 digits that the buyer's phone shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_code: Option<String>,
    /// `code_pay`: the till, if the order's `scene_info` does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene_info: Option<CodePayScene>,
    /// h5: the buyer's IP address, as the backend saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_client_ip: Option<String>,
    /// h5: the address to which the buyer returns, if the order does not name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
}

/// The place where a code was scanned. One of the store's two numbers is required.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodePayScene {
    /// The store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_info: Option<CodePayStore>,
    /// The till, at most 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The till's IP address, at most 45 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_ip: Option<String>,
}

/// The store, by WeChat's number or by the merchant's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CodePayStore {
    /// WeChat's number, at most 32 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The merchant's own, at most 256 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_id: Option<String>,
}

/// The order after an attempt was started, with the next step: at most one of the last five fields.
/// There is none if the order is paid or closed, and none for `code_pay`, whose attempt shows
/// whether it is paid or still waits for the buyer's password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StartedAttempt {
    /// The merchant's own number.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub order_no: OrderNo,
    /// The state of the order.
    pub state: OrderState,
    /// Grows with every change.
    pub version: u64,
    /// The order's current attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<AttemptDetails>,
    /// When to read the order again, in milliseconds, while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_after_ms: Option<u64>,
    /// native: the content of the QR code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_url: Option<String>,
    /// h5: the address to which the buyer goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub h5_url: Option<String>,
    /// jsapi: for `getBrandWCPayRequest`. Each answer has a new signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jsapi: Option<PayParameters>,
    /// `mini_program`: for `wx.requestPayment`. Each answer has a new signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mini_program: Option<PayParameters>,
    /// app: for the SDK's `PayReq`. Each answer has a new signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppPayParameters>,
}

/// The seven strings that an app hands to WeChat's SDK, in the spelling of WeChat's documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppPayParameters {
    /// The app's own appid.
    pub appid: String,
    /// The merchant number; in partner mode the sub-merchant's.
    pub partnerid: String,
    /// The `prepay_id`, without a prefix.
    pub prepayid: String,
    /// `Sign=WXPay`.
    pub package: String,
    /// Random text.
    pub noncestr: String,
    /// Seconds since 1970, as a string.
    pub timestamp: String,
    /// base64 of the merchant's signature.
    pub sign: String,
}
