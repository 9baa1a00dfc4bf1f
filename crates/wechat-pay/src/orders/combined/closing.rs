//! Closing a combined order: the body names every sub-order. WeChat closes all of them or none: number,
//! count, merchants and sub-orders must be those of the order, otherwise it answers 400 `INVALID_REQUEST`.
//!
//! Source: WeChat's page on 关闭合单订单, and its 常见问题.

use payment_values::OutTradeNo;
use serde::{Deserialize, Serialize};

use super::path::order_path;
use crate::json::{Unreadable, read_json};
use crate::request::RequestParts;

/// The body that closes a combined order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinedClosing {
    /// The combining application.
    pub combine_appid: String,
    /// Every sub-order, as it was ordered.
    pub sub_orders: Vec<SubOrderName>,
}

/// A sub-order by its number and its merchant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubOrderName {
    /// The merchant, in partner mode the service provider.
    pub mchid: String,
    /// The number of the sub-order.
    pub out_trade_no: OutTradeNo,
    /// Partner mode: the sub-merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_mchid: Option<String>,
    /// Partner mode: the sub-merchant's own application, if the order named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_appid: Option<String>,
}

impl CombinedClosing {
    /// What closes the order of this body ([`crate::CombinedOrder::request`]): the names in both are the
    /// same, so a closing made from the stored body cannot differ from the order.
    pub fn of_order(body: &[u8]) -> Result<Self, Unreadable> {
        read_json::<Self>(body).map(|read| read.value)
    }
}

/// Closes a combined order; answered with 204 and an empty body. While the buyer types the password WeChat
/// answers 202 ([`crate::ReplyError::NotYet`]); a paid order cannot be closed.
pub fn close_combined_order(
    combine_out_trade_no: &OutTradeNo,
    closing: &CombinedClosing,
) -> RequestParts {
    RequestParts::post(order_path(combine_out_trade_no) + "/close", closing)
}
