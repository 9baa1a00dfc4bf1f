//! The fields of a refund's body, and of the abnormal refund. This file has only tables.

use super::field::{Field, Fields, NOTIFY_URL_PATTERN, Pattern, Rule, may, must};

const OUT_REFUND_NO_PATTERN: &Pattern = &Pattern {
    shown: r"^[0-9a-zA-Z_\-\|\*@]+$",
    fits: |text| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b))
    },
};

const OUT_REFUND_NO: Field = must(
    "out_refund_no",
    "商户退款单号",
    Rule::Pattern(1, 64, OUT_REFUND_NO_PATTERN),
);

/// The body of a refund.
pub(super) const REFUND: Fields = &[&[
    may("sub_mchid", "子商户号", Rule::Text(1, 32)),
    may("transaction_id", "微信支付订单号", Rule::Text(1, 32)),
    may("out_trade_no", "商户订单号", Rule::Text(6, 32)),
    OUT_REFUND_NO,
    may("reason", "退款原因", Rule::Text(1, 80)),
    may(
        "notify_url",
        "退款结果回调url",
        Rule::Pattern(1, 255, NOTIFY_URL_PATTERN),
    ),
    may("funds_account", "退款资金来源", Rule::Text(1, 32)),
    must(
        "amount",
        "金额信息",
        Rule::Object(&[
            must("refund", "退款金额", Rule::Integer(1)),
            may(
                "from",
                "退款出资账户及金额",
                Rule::List(&[
                    must("account", "出资账户类型", Rule::Text(1, 32)),
                    must("amount", "出资金额", Rule::Integer(1)),
                ]),
            ),
            must("total", "原订单金额", Rule::Integer(1)),
            must("currency", "退款币种", Rule::Text(1, 16)),
        ]),
    ),
    may(
        "goods_detail",
        "退款商品",
        Rule::List(&[
            must("merchant_goods_id", "商户侧商品编码", Rule::Text(1, 32)),
            may("wechatpay_goods_id", "微信支付商品编码", Rule::Text(0, 32)),
            may("goods_name", "商品名称", Rule::Text(0, 256)),
            must("unit_price", "商品单价", Rule::Integer(0)),
            must("refund_amount", "商品退款金额", Rule::Integer(0)),
            must("refund_quantity", "商品退货数量", Rule::Integer(1)),
        ]),
    ),
]];

/// The body of an abnormal refund.
pub(super) const ABNORMAL: Fields = &[&[
    may("sub_mchid", "子商户号", Rule::Text(1, 32)),
    OUT_REFUND_NO,
    must("type", "异常退款处理方式", Rule::Text(1, 32)),
    may("bank_type", "开户银行", Rule::Text(1, 16)),
    may("bank_account", "收款银行卡号", Rule::Text(1, 1024)),
    may("real_name", "收款用户姓名", Rule::Text(1, 1024)),
]];
