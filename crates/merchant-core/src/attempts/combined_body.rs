//! The exact bytes of a combined attempt's order (合单支付). They follow from the order and the attempt's
//! number alone, so a repeated request can be compared, and a crash loses no number.

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use merchant_api::{CreateOrder, SubOrder};
use payment_values::{Fen, InvalidField, OrderNo, OutTradeNo};
use serde_json::{Map, Value};
use wechat_pay::{
    CombinedOrder, Description, ProductFields, SubOrder as WechatSubOrder, lower_hex,
};

use crate::config::Merchant;

/// The order that a combined attempt places.
pub(super) struct CombinedTerms<'a> {
    pub(super) order_no: &'a OrderNo,
    pub(super) request: &'a CreateOrder,
    pub(super) expires_ms: i64,
    pub(super) appid: &'a str,
    pub(super) fields: ProductFields,
    pub(super) out_trade_no: &'a OutTradeNo,
    pub(super) scene_info: Option<Map<String, Value>>,
}

impl CombinedTerms<'_> {
    /// The order in WeChat's form.
    pub(super) fn order(self, merchant: &Merchant) -> Result<CombinedOrder, InvalidField> {
        let mchid = merchant.key.mchid();
        let given = self.request.sub_orders.as_deref().unwrap_or_default();
        let numbers = sub_numbers(self.out_trade_no, given.len())?;
        let sub_orders = given
            .iter()
            .zip(numbers)
            .map(|(sub_order, number)| wechat_sub_order(mchid, self.order_no, sub_order, number))
            .collect::<Result<_, _>>()?;
        let is_h5 = matches!(self.fields, ProductFields::H5 { .. });
        let mut order = CombinedOrder::new(
            self.appid,
            mchid,
            self.out_trade_no.clone(),
            sub_orders,
            merchant.notify_url.clone(),
            self.fields,
        );
        // WeChat gets the same deadline as the buyer.
        order.time_expire = Timestamp::from_millisecond(self.expires_ms).ok();
        order.scene_info = self.scene_info;
        if is_h5 {
            // WeChat requires the number of a shop here: without one, the merchant is the shop.
            let scene_info = order.scene_info.get_or_insert_default();
            scene_info
                .entry("device_id")
                .or_insert_with(|| mchid.into());
        }
        Ok(order)
    }
}

/// The numbers of an attempt's sub-orders. WeChat takes each number once, so each attempt has others; they
/// are made of the attempt's number, so that they need not be drawn.
pub(super) fn sub_numbers(
    out_trade_no: &OutTradeNo,
    count: usize,
) -> Result<Vec<OutTradeNo>, InvalidField> {
    let number = |place: usize| {
        let hash = digest(&SHA256, format!("{out_trade_no}\n{place}").as_bytes());
        OutTradeNo::parse(lower_hex(&hash.as_ref()[..16]))
    };
    (1..=count).map(number).collect()
}

/// A sub-order in WeChat's form. Its `attach` names order and sub-order: by them a person finds both in
/// WeChat's records and bills.
pub(crate) fn wechat_sub_order(
    mchid: &str,
    order_no: &OrderNo,
    sub_order: &SubOrder,
    number: OutTradeNo,
) -> Result<WechatSubOrder, InvalidField> {
    let names = format!("{order_no} {}", sub_order.sub_order_no);
    let attach = match &sub_order.attach {
        None => names,
        Some(attach) => format!("{names} {attach}"),
    };
    let description = Description::parse(&*sub_order.description)?;
    let total = Fen::saturating(sub_order.amount_fen);
    let mut wechats = WechatSubOrder::new(mchid, number, description, attach, total);
    wechats.sub_mchid.clone_from(&sub_order.sub_mchid);
    Ok(wechats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sub_order_of_each_attempt_has_a_number_of_its_own_and_always_the_same() {
        let numbers = |number: &str, count| {
            let number = OutTradeNo::parse(number).unwrap();
            let numbers = sub_numbers(&number, count).unwrap();
            let numbers = numbers.into_iter();
            numbers.map(|it| it.to_string()).collect::<Vec<_>>()
        };
        let first = numbers("tea-0001", 50);
        assert_eq!(first, numbers("tea-0001", 50));
        assert_eq!(first[..2], numbers("tea-0001", 2));
        assert!(first.iter().all(|number| number.len() == 32));
        let other = numbers("tea-0002", 50);
        let all: std::collections::BTreeSet<_> = first.iter().chain(&other).collect();
        assert_eq!(all.len(), 100);
    }
}
