//! The fields of an order's body by product: names, WeChat's Chinese names, and rules, from its
//! documentation. This file has only tables.

use super::field::{Field, Fields, NOTIFY_URL_PATTERN, OUT_TRADE_NO_PATTERN, Rule, may, must};
use crate::ledger::order::Product;

pub(super) const OUT_TRADE_NO: Field = must(
    "out_trade_no",
    "商户订单号",
    Rule::Pattern(6, 32, OUT_TRADE_NO_PATTERN),
);

const APPID: Field = must("appid", "公众号ID", Rule::Text(1, 32));
pub(super) const MCHID: Field = must("mchid", "商户号", Rule::Text(1, 32));
const DESCRIPTION: Field = must("description", "商品描述", Rule::Description(127));
const TIME_EXPIRE: Field = may("time_expire", "支付结束时间", Rule::Moment);
const ATTACH: Field = may("attach", "商户数据包", Rule::Text(0, 128));
const NOTIFY_URL: Field = must(
    "notify_url",
    "通知地址",
    Rule::Pattern(1, 255, NOTIFY_URL_PATTERN),
);
const GOODS_TAG: Field = may("goods_tag", "订单优惠标记", Rule::Text(0, 32));
/// `no_credit` and similar. WeChat accepts it; its documents no longer name it. Source: wechatpay-go,
/// whose maintainer confirms it in issue 92.
const LIMIT_PAY: Field = may("limit_pay", "指定支付方式", Rule::Texts(1, 32));
const SUPPORT_FAPIAO: Field = may("support_fapiao", "电子发票入口开放标识", Rule::Flag);
const AMOUNT: Field = must(
    "amount",
    "订单金额",
    Rule::Object(&[
        must("total", "总金额", Rule::Integer(1)),
        may("currency", "货币类型", Rule::Text(3, 16)),
    ]),
);
const DETAIL: Field = may(
    "detail",
    "优惠功能",
    Rule::Object(&[
        may("cost_price", "订单原价", Rule::Integer(0)),
        may("invoice_id", "商品小票ID", Rule::Text(0, 32)),
        may(
            "goods_detail",
            "单品列表",
            Rule::List(&[
                must("merchant_goods_id", "商户侧商品编码", Rule::Text(1, 32)),
                may("wechatpay_goods_id", "微信支付商品编码", Rule::Text(0, 32)),
                // The name in code pay.
                may("wxpay_goods_id", "微信支付商品编码", Rule::Text(0, 32)),
                may("goods_name", "商品名称", Rule::Text(0, 256)),
                must("quantity", "商品数量", Rule::Integer(1)),
                must("unit_price", "商品单价", Rule::Integer(0)),
            ]),
        ),
    ]),
);
const STORE_INFO: Field = may(
    "store_info",
    "商户门店信息",
    Rule::Object(&[
        must("id", "门店编号", Rule::Text(1, 32)),
        may("name", "门店名称", Rule::Text(0, 256)),
        may("area_code", "地区编码", Rule::Text(0, 32)),
        may("address", "详细地址", Rule::Text(0, 512)),
    ]),
);
const PAYER_CLIENT_IP: Field = must("payer_client_ip", "用户终端IP", Rule::Text(1, 45));
const DEVICE_ID: Field = may("device_id", "商户端设备号", Rule::Text(0, 32));
const SCENE_INFO: Field = may(
    "scene_info",
    "场景信息",
    Rule::Object(&[PAYER_CLIENT_IP, DEVICE_ID, STORE_INFO]),
);
const H5_SCENE_INFO: Field = must(
    "scene_info",
    "场景信息",
    Rule::Object(&[
        PAYER_CLIENT_IP,
        DEVICE_ID,
        STORE_INFO,
        must(
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
);
const PROFIT_SHARING: Field = may("profit_sharing", "分账标识", Rule::Flag);
const SETTLE_INFO: Field = may("settle_info", "结算信息", Rule::Object(&[PROFIT_SHARING]));
const PARTNER_SETTLE_INFO: Field = may(
    "settle_info",
    "结算信息",
    Rule::Object(&[
        PROFIT_SHARING,
        may("subsidy_amount", "补差金额", Rule::Integer(0)),
    ]),
);
/// The payer's identity, encrypted. It is not compared: the simulator's buyers have none.
const IDENTITY: Field = may(
    "identity",
    "实名信息",
    Rule::Object(&[
        must("type", "证件类型", Rule::Text(1, 32)),
        must("number", "证件号", Rule::Text(1, 1024)),
        must("name", "姓名", Rule::Text(1, 1024)),
    ]),
);
/// Subsidies for instalments.
const SUBSIDY_INFO: &[Field] = &[may(
    "subsidy_info",
    "分期贴息信息",
    Rule::Object(&[may(
        "subsidy_detail",
        "贴息明细",
        Rule::List(&[
            must("subsidy_period_type", "贴息周期类型", Rule::Text(1, 32)),
            must(
                "subsidy_plan",
                "贴息方案",
                Rule::List(&[
                    must("subsidy_installment_num", "分期数", Rule::Integer(1)),
                    must("subsidy_percent", "贴息比例", Rule::Integer(0)),
                ]),
            ),
        ]),
    )]),
)];

const SP_APPID: Field = must("sp_appid", "服务商应用ID", Rule::Text(1, 32));
const SP_MCHID: Field = must("sp_mchid", "服务商户号", Rule::Text(1, 32));
const SUB_APPID: Field = may("sub_appid", "子商户应用ID", Rule::Text(1, 32));
pub(super) const SUB_MCHID: Field = must("sub_mchid", "子商户号", Rule::Text(1, 32));

/// The ids of a merchant that orders for itself.
const MERCHANT: &[Field] = &[APPID, MCHID];
const PARTNER: &[Field] = &[SP_APPID, SP_MCHID, SUB_APPID, SUB_MCHID];
/// In code pay a partner may leave its own application out.
const CODE_PAY_PARTNER: &[Field] = &[
    may("sp_appid", "服务商应用ID", Rule::Text(1, 32)),
    SP_MCHID,
    SUB_APPID,
    SUB_MCHID,
];

/// The fields of every order that is paid through a link.
const ORDER: &[Field] = &[
    DESCRIPTION,
    OUT_TRADE_NO,
    TIME_EXPIRE,
    ATTACH,
    NOTIFY_URL,
    GOODS_TAG,
    LIMIT_PAY,
    SUPPORT_FAPIAO,
    AMOUNT,
    DETAIL,
];
const PAYER: &[Field] = &[must(
    "payer",
    "支付者",
    Rule::Object(&[must("openid", "用户标识", Rule::Text(1, 128)), IDENTITY]),
)];
const PARTNER_PAYER: &[Field] = &[must(
    "payer",
    "支付者",
    Rule::Object(&[
        may("sp_openid", "用户服务标识", Rule::Text(1, 128)),
        may("sub_openid", "用户子标识", Rule::Text(1, 128)),
        IDENTITY,
    ]),
)];
/// The payer where no openid is needed.
const IDENTIFIED_PAYER: &[Field] = &[may("payer", "支付者", Rule::Object(&[IDENTITY]))];
const SCENE: &[Field] = &[SCENE_INFO];
const H5_SCENE: &[Field] = &[H5_SCENE_INFO];
const SETTLE: &[Field] = &[SETTLE_INFO];
const PARTNER_SETTLE: &[Field] = &[PARTNER_SETTLE_INFO];

/// The fields of a payment by code.
const CODE_PAY: &[Field] = &[
    DESCRIPTION,
    OUT_TRADE_NO,
    ATTACH,
    may(
        "notify_url",
        "通知地址",
        Rule::Pattern(1, 255, NOTIFY_URL_PATTERN),
    ),
    GOODS_TAG,
    SUPPORT_FAPIAO,
    AMOUNT,
    must(
        "payer",
        "支付者",
        Rule::Object(&[must("auth_code", "付款码", Rule::Text(1, 32))]),
    ),
    DETAIL,
    must(
        "scene_info",
        "场景信息",
        Rule::Object(&[
            DEVICE_ID,
            may("device_ip", "商户端设备IP", Rule::Text(0, 45)),
            must(
                "store_info",
                "商户门店信息",
                Rule::Object(&[
                    may("id", "门店编号", Rule::Text(1, 32)),
                    may("out_id", "商家自定义编码", Rule::Text(1, 256)),
                    may("name", "门店名称", Rule::Text(0, 256)),
                    may("area_code", "地区编码", Rule::Text(0, 32)),
                    may("address", "详细地址", Rule::Text(0, 512)),
                ]),
            ),
        ]),
    ),
    SETTLE_INFO,
];

/// The fields of an order; with `partner` that of a partner for a sub-merchant.
pub(super) fn order_fields(product: Product, partner: bool) -> Fields {
    match (product, partner) {
        (Product::Jsapi, false) => &[MERCHANT, ORDER, PAYER, SCENE, SETTLE, SUBSIDY_INFO],
        (Product::Jsapi, true) => &[
            PARTNER,
            ORDER,
            PARTNER_PAYER,
            SCENE,
            PARTNER_SETTLE,
            SUBSIDY_INFO,
        ],
        (Product::H5, false) => &[MERCHANT, ORDER, IDENTIFIED_PAYER, H5_SCENE, SETTLE],
        (Product::H5, true) => &[PARTNER, ORDER, IDENTIFIED_PAYER, H5_SCENE, PARTNER_SETTLE],
        (Product::Native, false) => &[MERCHANT, ORDER, IDENTIFIED_PAYER, SCENE, SETTLE],
        (Product::Native, true) => &[PARTNER, ORDER, IDENTIFIED_PAYER, SCENE, PARTNER_SETTLE],
        (Product::App, false) => &[
            MERCHANT,
            ORDER,
            IDENTIFIED_PAYER,
            SCENE,
            SETTLE,
            SUBSIDY_INFO,
        ],
        (Product::App, true) => &[
            PARTNER,
            ORDER,
            IDENTIFIED_PAYER,
            SCENE,
            PARTNER_SETTLE,
            SUBSIDY_INFO,
        ],
        (Product::CodePay, false) => &[MERCHANT, CODE_PAY],
        (Product::CodePay, true) => &[CODE_PAY_PARTNER, CODE_PAY],
    }
}

/// The body of a close.
pub(super) fn close_fields(partner: bool) -> Fields {
    if partner {
        &[&[SP_MCHID, SUB_MCHID]]
    } else {
        &[&[MCHID]]
    }
}

/// The body of a reversal.
pub(super) fn reverse_fields(partner: bool) -> Fields {
    if partner {
        &[CODE_PAY_PARTNER]
    } else {
        &[MERCHANT]
    }
}
