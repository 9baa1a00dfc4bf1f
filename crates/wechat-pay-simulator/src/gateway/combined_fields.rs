//! The fields of a combined order's body by product, from WeChat's documentation. This file has only tables.
//!
//! They are not those of an ordinary order: amounts have other names, `attach` is required, H5 requires a
//! `device_id`, and there is no `store_info` and no `support_fapiao`.

use super::field::{Field, Fields, NOTIFY_URL_PATTERN, OUT_TRADE_NO_PATTERN, Rule, may, must};
use crate::ledger::order::Product;

pub(super) const COMBINE_OUT_TRADE_NO: Field = must(
    "combine_out_trade_no",
    "合单商户订单号",
    Rule::Pattern(6, 32, OUT_TRADE_NO_PATTERN),
);

const COMBINE_APPID: Field = must("combine_appid", "合单商户公众账号ID", Rule::Text(1, 32));
const SUB_MCHID: Field = may("sub_mchid", "子商户号", Rule::Text(1, 32));
const SUB_APPID: Field = may("sub_appid", "子商户APPID", Rule::Text(1, 32));
const MCHID: Field = must("mchid", "子单商户号", Rule::Text(1, 32));
const OUT_TRADE_NO: Field = must(
    "out_trade_no",
    "子单商户订单号",
    Rule::Pattern(6, 32, OUT_TRADE_NO_PATTERN),
);
const ATTACH: Field = must("attach", "商户数据包", Rule::Text(1, 128));
const AMOUNT: Field = must(
    "amount",
    "子单金额信息",
    Rule::Object(&[
        must("total_amount", "子单金额", Rule::Integer(1)),
        must("currency", "货币类型", Rule::Text(1, 8)),
    ]),
);
const DESCRIPTION: Field = must("description", "商品描述", Rule::Description(127));
const GOODS_TAG: Field = may("goods_tag", "订单优惠标记", Rule::Text(0, 32));
const SETTLE_INFO: Field = may(
    "settle_info",
    "结算信息",
    Rule::Object(&[
        may("profit_sharing", "分账标识", Rule::Flag),
        may("subsidy_amount", "补差金额", Rule::Integer(0)),
    ]),
);

/// The sub-orders of H5 and Native.
const SUB_ORDERS: &[Field] = &[must(
    "sub_orders",
    "子单信息列表",
    Rule::List(&[
        MCHID,
        ATTACH,
        AMOUNT,
        OUT_TRADE_NO,
        SUB_MCHID,
        DESCRIPTION,
        SETTLE_INFO,
        SUB_APPID,
        GOODS_TAG,
    ]),
)];
/// Those of JSAPI and APP have a text about the goods.
const DETAILED_SUB_ORDERS: &[Field] = &[must(
    "sub_orders",
    "子单信息列表",
    Rule::List(&[
        MCHID,
        ATTACH,
        AMOUNT,
        OUT_TRADE_NO,
        SUB_MCHID,
        may("detail", "商品详情", Rule::Text(0, 6000)),
        DESCRIPTION,
        SETTLE_INFO,
        SUB_APPID,
        GOODS_TAG,
    ]),
)];

/// The fields of every combined order.
const ORDER: &[Field] = &[
    COMBINE_APPID,
    must("combine_mchid", "合单商户号", Rule::Text(1, 32)),
    COMBINE_OUT_TRADE_NO,
    may("time_start", "支付起始时间", Rule::Moment),
    may("time_expire", "支付结束时间", Rule::Moment),
    must(
        "notify_url",
        "通知地址",
        Rule::Pattern(1, 255, NOTIFY_URL_PATTERN),
    ),
    // Older pages name it, and the present ones do not.
    may("limit_pay", "指定支付方式", Rule::Texts(1, 32)),
];
const PAYER_CLIENT_IP: Field = must("payer_client_ip", "用户终端IP", Rule::Text(1, 45));
const SCENE: &[Field] = &[may(
    "scene_info",
    "场景信息",
    Rule::Object(&[
        PAYER_CLIENT_IP,
        may("device_id", "商户端设备号", Rule::Text(0, 16)),
    ]),
)];
const H5_SCENE: &[Field] = &[must(
    "scene_info",
    "场景信息",
    Rule::Object(&[
        PAYER_CLIENT_IP,
        must("device_id", "商户端设备号", Rule::Text(1, 32)),
        may(
            "h5_info",
            "H5场景信息",
            Rule::Object(&[
                must("type", "场景类型", Rule::Text(1, 32)),
                may("app_name", "应用名称", Rule::Text(0, 64)),
                may("app_url", "网站URL", Rule::Text(0, 128)),
                may("bundle_id", "iOS平台BundleID", Rule::Text(0, 128)),
                may("package_name", "Android平台PackageName", Rule::Text(0, 128)),
            ]),
        ),
    ]),
)];
const OPENIDS: Rule = Rule::Object(&[
    may("openid", "用户标识", Rule::Text(1, 128)),
    may("sub_openid", "用户子标识", Rule::Text(1, 128)),
]);
const PAYER: &[Field] = &[must("combine_payer_info", "合单支付者信息", OPENIDS)];
/// The payer where no openid is needed.
const ANY_PAYER: &[Field] = &[may("combine_payer_info", "合单支付者信息", OPENIDS)];

/// The fields of a combined order.
pub(super) fn order_fields(product: Product) -> Fields {
    match product {
        Product::Jsapi => &[ORDER, SCENE, DETAILED_SUB_ORDERS, PAYER],
        Product::App => &[ORDER, SCENE, DETAILED_SUB_ORDERS, ANY_PAYER],
        Product::H5 => &[ORDER, H5_SCENE, SUB_ORDERS, ANY_PAYER],
        Product::Native | Product::CodePay => &[ORDER, SCENE, SUB_ORDERS, ANY_PAYER],
    }
}

/// The body of a close.
pub(super) const CLOSE: Fields = &[&[
    COMBINE_APPID,
    must(
        "sub_orders",
        "子单信息列表",
        Rule::List(&[MCHID, OUT_TRADE_NO, SUB_MCHID, SUB_APPID]),
    ),
]];
