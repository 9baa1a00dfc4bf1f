//! The fields of an order's body by product: names, WeChat's Chinese names, and rules, as its
//! documentation has them. A table; it judges nothing.

use crate::ledger::order::Product;

/// One field of a body: its name, WeChat's Chinese name for it, and its rule.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) required: bool,
    pub(super) rule: Rule,
}

pub(super) enum Rule {
    /// Text with its least and greatest number of bytes.
    Text(usize, usize),
    /// Text of at most so many bytes or characters, as the switch says.
    Description(usize),
    /// Text of a pattern, with its least and greatest number of bytes.
    Pattern(usize, usize, &'static Pattern),
    /// An RFC 3339 moment.
    Moment,
    /// A signed 64-bit integer with its least value.
    Integer(i64),
    /// `true` or `false`.
    Flag,
    /// An object of known fields.
    Object(&'static [Field]),
    /// A list of objects of known fields.
    List(&'static [Field]),
}

pub(super) struct Pattern {
    /// The regular expression as WeChat's message shows it.
    pub(super) shown: &'static str,
    pub(super) fits: fn(&str) -> bool,
}

pub(super) const fn must(name: &'static str, label: &'static str, rule: Rule) -> Field {
    Field {
        name,
        label,
        required: true,
        rule,
    }
}

pub(super) const fn may(name: &'static str, label: &'static str, rule: Rule) -> Field {
    Field {
        name,
        label,
        required: false,
        rule,
    }
}

/// The fields of an order; `partner` is that of a partner for another merchant.
pub(super) fn order_fields(product: Product, partner: bool) -> &'static [Field] {
    match (product, partner) {
        (Product::Jsapi, false) => JSAPI,
        (Product::H5, false) => H5,
        (Product::Native | Product::App, false) => NATIVE,
        (Product::Jsapi, true) => PARTNER_JSAPI,
        (Product::H5, true) => PARTNER_H5,
        (Product::Native | Product::App, true) => PARTNER_NATIVE,
        (Product::CodePay, _) => CODE_PAY,
    }
}

pub(super) const OUT_TRADE_NO_PATTERN: &Pattern = &Pattern {
    shown: r"^[0-9a-zA-Z_\-\|\*]+$",
    fits: |text| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-|*".contains(&b))
    },
};

pub(super) const NOTIFY_URL_PATTERN: &Pattern = &Pattern {
    shown: r"^https?://([^\s/?#\[\]\@]+\@)?([^\s/?#\@:]+)(?::\d{2,5})?([^\s?#\[\]]*)$",
    fits: is_notify_url,
};

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
const SETTLE_INFO: Field = may(
    "settle_info",
    "结算信息",
    Rule::Object(&[may("profit_sharing", "分账标识", Rule::Flag)]),
);

const NATIVE: &[Field] = &[
    APPID,
    MCHID,
    DESCRIPTION,
    OUT_TRADE_NO,
    TIME_EXPIRE,
    ATTACH,
    NOTIFY_URL,
    GOODS_TAG,
    SUPPORT_FAPIAO,
    AMOUNT,
    DETAIL,
    SCENE_INFO,
    SETTLE_INFO,
];

const H5: &[Field] = &[
    APPID,
    MCHID,
    DESCRIPTION,
    OUT_TRADE_NO,
    TIME_EXPIRE,
    ATTACH,
    NOTIFY_URL,
    GOODS_TAG,
    SUPPORT_FAPIAO,
    AMOUNT,
    DETAIL,
    H5_SCENE_INFO,
    SETTLE_INFO,
];

const JSAPI: &[Field] = &[
    APPID,
    MCHID,
    DESCRIPTION,
    OUT_TRADE_NO,
    TIME_EXPIRE,
    ATTACH,
    NOTIFY_URL,
    GOODS_TAG,
    SUPPORT_FAPIAO,
    AMOUNT,
    must(
        "payer",
        "支付者",
        Rule::Object(&[must("openid", "用户标识", Rule::Text(1, 128))]),
    ),
    DETAIL,
    SCENE_INFO,
    SETTLE_INFO,
];

const SP_APPID: Field = must("sp_appid", "服务商应用ID", Rule::Text(1, 32));
const SP_MCHID: Field = must("sp_mchid", "服务商户号", Rule::Text(1, 32));
const SUB_APPID: Field = may("sub_appid", "子商户应用ID", Rule::Text(1, 32));
pub(super) const SUB_MCHID: Field = must("sub_mchid", "子商户号", Rule::Text(1, 32));

const PARTNER_NATIVE: &[Field] = &[
    SP_APPID,
    SP_MCHID,
    SUB_APPID,
    SUB_MCHID,
    DESCRIPTION,
    OUT_TRADE_NO,
    TIME_EXPIRE,
    ATTACH,
    NOTIFY_URL,
    GOODS_TAG,
    SUPPORT_FAPIAO,
    AMOUNT,
    DETAIL,
    SCENE_INFO,
    SETTLE_INFO,
];

const PARTNER_H5: &[Field] = &[
    SP_APPID,
    SP_MCHID,
    SUB_APPID,
    SUB_MCHID,
    DESCRIPTION,
    OUT_TRADE_NO,
    TIME_EXPIRE,
    ATTACH,
    NOTIFY_URL,
    GOODS_TAG,
    SUPPORT_FAPIAO,
    AMOUNT,
    DETAIL,
    H5_SCENE_INFO,
    SETTLE_INFO,
];

const PARTNER_JSAPI: &[Field] = &[
    SP_APPID,
    SP_MCHID,
    SUB_APPID,
    SUB_MCHID,
    DESCRIPTION,
    OUT_TRADE_NO,
    TIME_EXPIRE,
    ATTACH,
    NOTIFY_URL,
    GOODS_TAG,
    SUPPORT_FAPIAO,
    AMOUNT,
    must(
        "payer",
        "支付者",
        Rule::Object(&[
            may("sp_openid", "用户服务标识", Rule::Text(1, 128)),
            may("sub_openid", "用户子标识", Rule::Text(1, 128)),
        ]),
    ),
    DETAIL,
    SCENE_INFO,
    SETTLE_INFO,
];

const CODE_PAY: &[Field] = &[
    APPID,
    MCHID,
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

/// The body of a close.
pub(super) fn close_fields(partner: bool) -> &'static [Field] {
    if partner {
        &[SP_MCHID, SUB_MCHID]
    } else {
        &[MCHID]
    }
}

/// The body of a reversal.
pub(super) const REVERSE: &[Field] = &[APPID, MCHID];

/// WeChat's regular expression for `notify_url`, by hand: a scheme, perhaps a user, a host
/// without a colon, perhaps a port of two to five digits, and no query after it.
fn is_notify_url(text: &str) -> bool {
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    if rest.contains(|c: char| c.is_whitespace() || "?#[]".contains(c)) {
        return false;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host_and_port = match authority.split_once('@') {
        Some(("", _)) => return false,
        Some((_, after_user)) => after_user,
        None => authority,
    };
    let (host, port) = host_and_port
        .split_once(':')
        .map_or((host_and_port, None), |(host, port)| (host, Some(port)));
    let port_fits = port.is_none_or(|port| {
        (2..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit())
    });
    !host.is_empty() && !host.contains('@') && port_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notify_url_follows_wechats_regular_expression() {
        for (url, fits) in [
            ("https://www.weixin.qq.com/wxpay/pay.php", true),
            ("http://127.0.0.1:8080/n", true),
            ("https://user@shop.example/n", true),
            ("https://shop.example", true),
            ("https://shop.example:8/n", false),
            ("https://shop.example:123456/n", false),
            ("https://shop.example:port/n", false),
            ("https://shop.example/n?a", false),
            ("https://shop.example/n#a", false),
            ("https://[::1]/n", false),
            ("https:///n", false),
            ("https://@shop.example/n", false),
            ("https://a@b@c/n", false),
            ("ftp://shop.example/n", false),
            ("shop.example", false),
        ] {
            assert_eq!(is_notify_url(url), fits, "{url}");
        }
    }
}
