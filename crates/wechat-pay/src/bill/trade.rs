//! The rows and the summary of a trade bill (交易账单), of whatever kind.
//!
//! In 2018 WeChat renamed columns and added three (订单金额, 申请退款金额, 费率备注); in 2014 the coupons
//! had other names. All sets are read, and mixtures of them. The fields by which a payment or a refund is compared are required; the rest
//! may be absent or have an unexpected form.

use payment_values::Fen;

use crate::bill::{BillError, BillRow};

/// A payment or a refund in a trade bill. A field that not every kind of bill has is optional.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeBillRow {
    /// When it was paid or refunded, `2019-02-19 05:01:46` in Beijing.
    pub trade_time: String,
    /// The application.
    pub appid: String,
    /// The merchant number.
    pub mchid: String,
    /// Partner mode: the sub-merchant's number.
    pub sub_mchid: Option<String>,
    /// The device, as the order named it.
    pub device_id: Option<String>,
    /// WeChat's number of the payment.
    pub transaction_id: String,
    /// The merchant's number of the payment.
    pub out_trade_no: String,
    /// The buyer.
    pub openid: String,
    /// `JSAPI`, `NATIVE`, `MWEB`, …
    pub trade_type: String,
    /// `SUCCESS`, `REFUND` or `REVOKED`.
    pub trade_state: String,
    /// The bank, or `OTHERS`.
    pub bank_type: String,
    /// `CNY`: WeChat Pay in the mainland has no other ([`crate::hosts`]).
    pub currency: String,
    /// The amount that is settled for the order; 0 in a refund's row.
    pub settlement_total: Fen,
    /// The amount that was paid with coupons.
    pub coupon: Fen,
    /// The amount of the order; 0 in a refund's row. Bills from before 2018 do not have it.
    pub total: Option<Fen>,
    /// The refund, in a refund's row.
    pub refund: Option<TradeBillRefund>,
    /// The text that the buyer read.
    pub description: String,
    /// The merchant's own text of the order (`attach`).
    pub attach: String,
    /// The fee in thousandths of a fen (WeChat writes five digits after the yuan's point); negative
    /// if the fee is returned. Also absent if the text is not an amount.
    pub fee_milli_fen: Option<i64>,
    /// The fee's rate, as it is written: `0.60%`.
    pub rate: String,
    /// A remark on the rate.
    pub rate_remark: Option<String>,
}

/// The additional fields of a refund's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeBillRefund {
    /// WeChat's number of the refund.
    pub refund_id: String,
    /// The merchant's number of the refund.
    pub out_refund_no: String,
    /// The amount that was settled back.
    pub refund: Fen,
    /// The part of it that was refunded as coupons.
    pub coupon_refund: Fen,
    /// The amount that the merchant requested.
    pub requested: Option<Fen>,
    /// `ORIGINAL`, `BALANCE`, …
    pub channel: String,
    /// `SUCCESS`, `PROCESSING`, `FAIL` or `CHANGE`.
    pub status: String,
}

/// The last line of a trade bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TradeBillSummary {
    /// The number of rows.
    pub count: u64,
    /// The amount that is settled for all orders.
    pub settlement_total: Fen,
    /// The amount that was refunded.
    pub refund_total: Fen,
    /// The part of it that was refunded as coupons.
    pub coupon_refund_total: Fen,
    /// All fees, in thousandths of a fen.
    pub fee_milli_fen: Option<i64>,
    /// The amount of the order.
    pub total: Option<Fen>,
    /// The amount that merchants requested to refund.
    pub requested_refund_total: Option<Fen>,
}

const SUB_MCHID: [&str; 2] = ["特约商户号", "子商户号"];
const SETTLEMENT: [&str; 2] = ["应结订单金额", "总金额"];
const COUPON: [&str; 4] = [
    "代金券金额",
    "代金券或立减优惠金额",
    "企业红包金额",
    "现金券金额",
];
const COUPON_REFUND: [&str; 4] = [
    "充值券退款金额",
    "代金券或立减优惠退款金额",
    "企业红包退款金额",
    "现金券退款金额",
];
const SETTLEMENT_SUM: [&str; 2] = ["应结订单总金额", "总交易额"];
const REFUND_SUM: [&str; 2] = ["退款总金额", "总退款金额"];
const COUPON_REFUND_SUM: [&str; 4] = [
    "充值券退款总金额",
    "总代金券或立减优惠退款金额",
    "总企业红包退款金额",
    "总现金券退款金额",
];

impl TradeBillRow {
    /// Reads a row of a trade bill.
    pub fn read(row: &BillRow) -> Result<Self, BillError> {
        row.check()?;
        Ok(Self {
            trade_time: row.text_or_empty("交易时间"),
            appid: row.text_or_empty("公众账号ID"),
            mchid: row.text_or_empty("商户号"),
            sub_mchid: row.optional_text(row.name_of(&SUB_MCHID)),
            device_id: row.optional_text("设备号"),
            transaction_id: row.text("微信订单号")?,
            out_trade_no: row.text("商户订单号")?,
            openid: row.text_or_empty("用户标识"),
            trade_type: row.text_or_empty("交易类型"),
            trade_state: row.text("交易状态")?,
            bank_type: row.text_or_empty("付款银行"),
            currency: row.text_or_empty("货币种类"),
            settlement_total: row.fen(row.name_of(&SETTLEMENT))?,
            coupon: row.optional_fen(row.name_of(&COUPON))?.unwrap_or(Fen::ZERO),
            total: row.optional_fen("订单金额")?,
            refund: TradeBillRefund::read(row)?,
            description: row.text_or_empty("商品名称"),
            attach: row.text_or_empty("商户数据包"),
            fee_milli_fen: row.signed("手续费", 5).ok(),
            rate: row.text_or_empty("费率"),
            rate_remark: row.optional_text("费率备注"),
        })
    }
}

impl TradeBillRefund {
    fn read(row: &BillRow) -> Result<Option<Self>, BillError> {
        let Some(refund_id) = row.optional_text("微信退款单号") else {
            return Ok(None);
        };
        Ok(Some(Self {
            refund_id,
            out_refund_no: row.text("商户退款单号")?,
            refund: row.fen("退款金额")?,
            coupon_refund: row
                .optional_fen(row.name_of(&COUPON_REFUND))?
                .unwrap_or(Fen::ZERO),
            requested: row.optional_fen("申请退款金额")?,
            channel: row.text_or_empty("退款类型"),
            status: row.text("退款状态")?,
        }))
    }
}

impl TradeBillSummary {
    /// Reads the summary of a trade bill.
    pub fn read(row: &BillRow) -> Result<Self, BillError> {
        row.check()?;
        Ok(Self {
            count: row.count("总交易单数")?,
            settlement_total: row.fen(row.name_of(&SETTLEMENT_SUM))?,
            refund_total: row.fen(row.name_of(&REFUND_SUM))?,
            coupon_refund_total: row
                .optional_fen(row.name_of(&COUPON_REFUND_SUM))?
                .unwrap_or(Fen::ZERO),
            fee_milli_fen: row.signed("手续费总金额", 5).ok(),
            total: row.optional_fen("订单总金额")?,
            requested_refund_total: row.optional_fen("申请退款总金额")?,
        })
    }
}
