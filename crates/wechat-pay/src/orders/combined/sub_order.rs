//! One sub-order of a combined order, and WeChat's limits for it.
//!
//! It has fewer fields than an ordinary order: no `limit_pay`, no `support_fapiao` (WeChat's 常见问题: 合单支付暂不支持电子发票),
//! no `store_info`. `detail` is a text here and exists for JSAPI and APP alone; this crate does not offer it.

use std::ops::RangeInclusive;

use payment_values::{Fen, InvalidField, OutTradeNo, Rule, check_text, check_word};
use serde::Serialize;
use serde_json::Value;

use super::closing::SubOrderName;
use crate::order_fields::Description;
use crate::orders::extras::check_settle_info;

/// How many sub-orders a merchant's combined order has. Source: 合单支付 for merchants, 2025.01.14.
pub const SUB_ORDERS: RangeInclusive<usize> = 2..=10;
/// How many sub-orders a service provider's combined order has. Source: 合单支付 for service providers,
/// 2025.01.16.
pub const PARTNER_SUB_ORDERS: RangeInclusive<usize> = 1..=50;
/// The most that one sub-order may cost: ten million yuan. Source: WeChat's 常见问题 on 合单支付.
pub const SUB_ORDER_TOTAL_MAX: Fen = Fen::saturating(1_000_000_000);
/// The most bytes of `attach`.
const ATTACH_MAX_BYTES: usize = 128;
/// WeChat's name of the amount.
const TOTAL_FIELD: &str = "amount.total_amount";
/// The most bytes of `goods_tag`.
const GOODS_TAG_MAX_BYTES: usize = 32;

/// How many sub-orders a combined order has, in either mode.
#[must_use]
pub fn sub_orders_allowed(is_partner: bool) -> RangeInclusive<usize> {
    if is_partner {
        PARTNER_SUB_ORDERS
    } else {
        SUB_ORDERS
    }
}

/// One sub-order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubOrder {
    /// The merchant that gets the money. It is bound to the combining application. In partner mode the
    /// service provider itself, and [`SubOrder::sub_mchid`] gets the money.
    pub mchid: String,
    /// Partner mode: the sub-merchant that gets the money. Sub-orders of one order have it all or none.
    pub sub_mchid: Option<String>,
    /// Partner mode: the sub-merchant's own application. One sub-order of an order can have it.
    pub sub_appid: Option<String>,
    /// The number of the sub-order: a refund, a share and a bill name it. Unique below the combining
    /// merchant; it may be the combined order's own number.
    pub out_trade_no: OutTradeNo,
    /// The text that the buyer sees in the bill.
    pub description: Description,
    /// Returned in queries and notifications; 1 to 128 bytes. WeChat requires it of each sub-order.
    pub attach: String,
    /// The amount: 1 fen to [`SUB_ORDER_TOTAL_MAX`].
    pub total: Fen,
    /// A tag for coupons; at most 32 bytes.
    pub goods_tag: Option<String>,
    /// Profit sharing.
    pub settle_info: Option<Value>,
}

impl SubOrder {
    /// A merchant's sub-order, with the fields that every sub-order has.
    pub fn new(
        mchid: impl Into<String>,
        out_trade_no: OutTradeNo,
        description: Description,
        attach: impl Into<String>,
        total: Fen,
    ) -> Self {
        Self {
            mchid: mchid.into(),
            sub_mchid: None,
            sub_appid: None,
            out_trade_no,
            description,
            attach: attach.into(),
            total,
            goods_tag: None,
            settle_info: None,
        }
    }

    /// Checks WeChat's rules. The error names the field inside of the sub-order.
    pub fn check(&self) -> Result<(), InvalidField> {
        check_word("mchid", &self.mchid)?;
        if let Some(sub_mchid) = &self.sub_mchid {
            check_word("sub_mchid", sub_mchid)?;
        }
        if let Some(sub_appid) = &self.sub_appid {
            if self.sub_mchid.is_none() {
                return Err(InvalidField::new("sub_mchid", Rule::Required));
            }
            check_word("sub_appid", sub_appid)?;
        }
        if self.total < Fen::ONE {
            return Err(InvalidField::new(TOTAL_FIELD, Rule::BelowMinimum(1)));
        }
        if self.total > SUB_ORDER_TOTAL_MAX {
            let rule = Rule::AboveMaximum(SUB_ORDER_TOTAL_MAX.get());
            return Err(InvalidField::new(TOTAL_FIELD, rule));
        }
        check_text("attach", &self.attach, ATTACH_MAX_BYTES)?;
        if let Some(goods_tag) = &self.goods_tag {
            check_text("goods_tag", goods_tag, GOODS_TAG_MAX_BYTES)?;
        }
        self.settle_info.as_ref().map_or(Ok(()), check_settle_info)
    }

    /// The sub-order as closing names it.
    #[must_use]
    pub fn name(&self) -> SubOrderName {
        SubOrderName {
            mchid: self.mchid.clone(),
            out_trade_no: self.out_trade_no.clone(),
            sub_mchid: self.sub_mchid.clone(),
            sub_appid: self.sub_appid.clone(),
        }
    }

    pub(super) fn body(&self) -> SubOrderBody<'_> {
        SubOrderBody {
            mchid: &self.mchid,
            attach: &self.attach,
            amount: AmountBody {
                total_amount: self.total,
                currency: "CNY",
            },
            out_trade_no: self.out_trade_no.as_str(),
            sub_mchid: self.sub_mchid.as_deref(),
            goods_tag: self.goods_tag.as_deref(),
            description: self.description.as_str(),
            settle_info: self.settle_info.as_ref(),
            sub_appid: self.sub_appid.as_deref(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct SubOrderBody<'a> {
    mchid: &'a str,
    attach: &'a str,
    amount: AmountBody,
    out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<&'a str>,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
}

#[derive(Serialize)]
struct AmountBody {
    total_amount: Fen,
    currency: &'static str,
}
