//! The exact bytes of orders and refunds, in the form of the version that makes them. They are
//! recorded, and each later try sends the same bytes.

use std::net::{IpAddr, Ipv4Addr};

use wechat_pay::v2::{self, UnifiedOrder};
use wechat_pay::{CodePayOrder, InvalidField, Order, Orderer, RefundRequest};

use crate::config::Api;

/// The address of the machine that orders. Version 2 requires one, and WeChat does not check it
/// except for H5, where the buyer's address replaces it. It must not change: the same order always
/// has the same bytes.
pub(super) const ORDERED_FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The body of an order.
pub(crate) fn order_body(api: Api, order: Order) -> Result<Vec<u8>, InvalidField> {
    Ok(match api {
        Api::V3 => order.request()?.body.to_vec(),
        Api::V2(_) => UnifiedOrder::new(order, ORDERED_FROM)
            .request()?
            .kept()
            .to_vec(),
    })
}

/// The body of a payment by the buyer's code.
pub(crate) fn code_pay_body(api: Api, order: &CodePayOrder) -> Result<Vec<u8>, InvalidField> {
    Ok(match api {
        Api::V3 => order.request()?.body.to_vec(),
        Api::V2(_) => v2::code_pay(order, ORDERED_FROM)?.kept().to_vec(),
    })
}

/// The body of a refund; `orderer` is who ordered what was paid.
pub(crate) fn refund_body(
    api: Api,
    orderer: &Orderer,
    refund: &RefundRequest,
) -> Result<Vec<u8>, InvalidField> {
    Ok(match api {
        Api::V3 => refund.request()?.body.to_vec(),
        Api::V2(_) => v2::refund(orderer, refund)?.kept().to_vec(),
    })
}
