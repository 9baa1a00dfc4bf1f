//! The exact bytes of an attempt's order. The same order, product, payer and address always give
//! the same bytes, which is how "the same again" is told from "something changed".

use jiff::Timestamp;
use wechat_pay::{Description, Fen, InvalidField, Order as WechatOrder, OutTradeNo, ProductFields};

use crate::error::Failure;
use crate::ledger::Order;
use crate::server::MerchantServer;

/// The body under a number.
pub(super) fn order_body(
    server: &MerchantServer,
    order: &Order,
    product: ProductFields,
    out_trade_no: &str,
) -> Result<Vec<u8>, Failure> {
    build(server, order, product, out_trade_no)
        // Everything in it was checked when the order was made.
        .map_err(|error| Failure::Internal(format!("an order's body cannot be made: {error}")))
}

fn build(
    server: &MerchantServer,
    order: &Order,
    product: ProductFields,
    out_trade_no: &str,
) -> Result<Vec<u8>, InvalidField> {
    let merchant = &server.config.merchant;
    let mut wechat_order = WechatOrder::new(
        &*merchant.appid,
        merchant.key.mchid(),
        OutTradeNo::parse(out_trade_no)?,
        Description::parse(&*order.description)?,
        Fen::new(i64::try_from(order.total_fen).unwrap_or(i64::MAX))?,
        merchant.notify_url.clone(),
        product,
    );
    // WeChat gets the deadline that the buyer sees.
    wechat_order.time_expire = Timestamp::from_millisecond(order.expires_ms).ok();
    // By which a person finds the merchant's order in WeChat's records of a later attempt.
    wechat_order.attach = Some(order.order_no.clone());
    Ok(wechat_order.request()?.body.to_vec())
}
