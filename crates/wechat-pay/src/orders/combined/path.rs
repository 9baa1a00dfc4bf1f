//! The paths of combined orders. They name no merchant: the signature does.

use payment_values::OutTradeNo;

use crate::request::encode;

/// The path that orders are posted to, without the product.
pub(super) const ORDERS_PATH: &str = "/v3/combine-transactions";

/// The path of one combined order.
pub(super) fn order_path(combine_out_trade_no: &OutTradeNo) -> String {
    let number = encode(combine_out_trade_no.as_str());
    format!("{ORDERS_PATH}/out-trade-no/{number}")
}
