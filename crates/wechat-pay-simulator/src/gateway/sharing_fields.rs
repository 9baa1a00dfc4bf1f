//! The fields of profit sharing's bodies. This file has only tables.

use super::field::{Field, Fields, Pattern, Rule, may, must};

const OUT_ORDER_NO_PATTERN: &Pattern = &Pattern {
    shown: r"^[0-9a-zA-Z_\-\|\*@]+$",
    fits: |text| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b))
    },
};
const OUT_RETURN_NO_PATTERN: &Pattern = &Pattern {
    shown: r"^[0-9a-zA-Z_\*@\-]+$",
    fits: |text| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-*@".contains(&b))
    },
};

const SUB_MCHID: Field = may("sub_mchid", "子商户号", Rule::Text(1, 32));
const APPID: Field = must("appid", "公众账号ID", Rule::Text(1, 32));
const SUB_APPID: Field = may("sub_appid", "子商户公众账号ID", Rule::Text(1, 32));
const TRANSACTION_ID: Field = must("transaction_id", "微信支付订单号", Rule::Text(1, 32));
const OUT_ORDER_NO: Field = must(
    "out_order_no",
    "商户分账单号",
    Rule::Pattern(1, 64, OUT_ORDER_NO_PATTERN),
);
const TYPE: Field = must("type", "分账接收方类型", Rule::Text(1, 32));
const ACCOUNT: Field = must("account", "分账接收方账号", Rule::Text(1, 64));

/// The body that adds a receiver.
pub(super) const ADD_RECEIVER: Fields = &[&[
    SUB_MCHID,
    APPID,
    SUB_APPID,
    TYPE,
    ACCOUNT,
    may("name", "分账个人接收方姓名", Rule::Text(1, 1024)),
    must("relation_type", "与分账方的关系类型", Rule::Text(1, 32)),
    may("custom_relation", "自定义的分账关系", Rule::Text(1, 40)),
]];

/// The body that deletes a receiver.
pub(super) const DELETE_RECEIVER: Fields = &[&[SUB_MCHID, APPID, SUB_APPID, TYPE, ACCOUNT]];

/// The body of a share.
pub(super) const SHARE: Fields = &[&[
    SUB_MCHID,
    APPID,
    SUB_APPID,
    TRANSACTION_ID,
    OUT_ORDER_NO,
    must(
        "receivers",
        "分账接收方列表",
        Rule::List(&[
            TYPE,
            ACCOUNT,
            may("name", "分账个人接收方姓名", Rule::Text(1, 1024)),
            must("amount", "分账金额", Rule::Integer(1)),
            must("description", "分账描述", Rule::Text(1, 80)),
        ]),
    ),
    must("unfreeze_unsplit", "是否解冻剩余未分资金", Rule::Flag),
]];

/// The body of a release.
pub(super) const UNFREEZE: Fields = &[&[
    SUB_MCHID,
    TRANSACTION_ID,
    OUT_ORDER_NO,
    must("description", "分账描述", Rule::Text(1, 80)),
]];

/// The body of a return.
pub(super) const RETURN: Fields = &[&[
    SUB_MCHID,
    may("order_id", "微信分账单号", Rule::Text(1, 64)),
    may(
        "out_order_no",
        "商户分账单号",
        Rule::Pattern(1, 64, OUT_ORDER_NO_PATTERN),
    ),
    must(
        "out_return_no",
        "商户回退单号",
        Rule::Pattern(1, 64, OUT_RETURN_NO_PATTERN),
    ),
    must("return_mchid", "回退商户号", Rule::Text(1, 32)),
    must("amount", "回退金额", Rule::Integer(1)),
    must("description", "回退描述", Rule::Text(1, 80)),
]];
