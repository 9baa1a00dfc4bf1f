//! The refusals that WeChat documents, by route: status, code, and message. A
//! fault can name any of them. Most also occur without a fault when their rule is broken; some
//! (`NOT_ENOUGH`, `BANK_ERROR`) have a cause that the simulator does not have.
//!
//! One code has several statuses and one status several codes, so the table has both. Where the
//! documents have a code and no sentence, the sentence is their description of the code.

/// A refusal that is documented for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Documented {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

/// The refusal of this code at this route; for `*` the refusal of the first route that has the
/// code.
pub(crate) fn documented(route: &str, code: &str) -> Option<Documented> {
    all_of(route).find(|refusal| refusal.code == code)
}

/// The codes that a route has, in the order of the documents; for `*` the codes of all routes.
pub(crate) fn codes_of(route: &str) -> Vec<&'static str> {
    let mut codes = Vec::new();
    for refusal in all_of(route) {
        if !codes.contains(&refusal.code) {
            codes.push(refusal.code);
        }
    }
    codes
}

fn all_of(route: &str) -> impl Iterator<Item = Documented> {
    let anywhere = route == "*";
    let known = ROUTES.iter().any(|(name, _)| *name == route);
    ROUTES
        .iter()
        .filter(move |(name, _)| anywhere || *name == route)
        .flat_map(|(_, own)| own.iter())
        .chain(EVERYWHERE.iter().filter(move |_| anywhere || known))
        .copied()
}

const fn refusal(status: u16, code: &'static str, message: &'static str) -> Documented {
    Documented {
        status,
        code,
        message,
    }
}

const EVERYWHERE: &[Documented] = &[
    refusal(400, "PARAM_ERROR", "参数错误"),
    refusal(400, "INVALID_REQUEST", "无效请求"),
    refusal(401, "SIGN_ERROR", "商户证书已作废"),
    refusal(429, "FREQUENCY_LIMITED", "频率超限，请降低请求频率"),
    refusal(429, "RATELIMIT_EXCEEDED", "频率超限，请降低请求频率"),
    refusal(500, "SYSTEM_ERROR", "系统错误"),
    refusal(503, "SERVICE_UNAVAILABLE", "服务不可用，请稍后重试"),
];

const ROUTES: &[(&str, &[Documented])] = &[
    (
        "order",
        &[
            refusal(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"),
            refusal(400, "MCH_NOT_EXISTS", "商户号不存在"),
            refusal(400, "ORDER_CLOSED", "该订单已关闭"),
            refusal(400, "ORDERPAID", "该订单已支付"),
            refusal(403, "NO_AUTH", "商户无权限"),
            refusal(403, "OUT_TRADE_NO_USED", "商户订单号重复"),
            refusal(403, "RULE_LIMIT", "业务规则限制"),
            refusal(403, "ACCOUNT_ERROR", "账号异常"),
            refusal(403, "TRADE_ERROR", "交易错误"),
            refusal(500, "BANK_ERROR", "银行系统异常"),
            refusal(500, "INVALID_TRANSACTIONID", "订单号非法"),
            refusal(500, "OPENID_MISMATCH", "openid和appid不匹配"),
        ],
    ),
    (
        "query",
        &[
            refusal(400, "MCH_NOT_EXISTS", "商户号不存在"),
            refusal(403, "RULE_LIMIT", "业务规则限制"),
            refusal(403, "TRADE_ERROR", "交易错误"),
            refusal(404, "ORDER_NOT_EXIST", "订单不存在"),
            refusal(500, "BANK_ERROR", "银行系统异常"),
            refusal(500, "INVALID_TRANSACTIONID", "订单号非法"),
        ],
    ),
    (
        "close",
        &[
            refusal(400, "MCH_NOT_EXISTS", "商户号不存在"),
            refusal(400, "ORDERPAID", "该订单已支付"),
            refusal(400, "ORDER_PAID", "该订单已支付"),
            // Of a combined order.
            refusal(400, "ORDER_CLOSED", "该订单已关闭"),
            refusal(404, "ORDER_NOT_EXIST", "订单不存在"),
            refusal(403, "RULE_LIMIT", "业务规则限制"),
            refusal(403, "TRADE_ERROR", "交易错误"),
            refusal(500, "BANK_ERROR", "银行系统异常"),
        ],
    ),
    (
        "reverse",
        &[
            refusal(403, "TRADE_ERROR", "交易错误"),
            refusal(404, "ORDER_NOT_EXIST", "订单不存在"),
        ],
    ),
    (
        "refund",
        &[
            refusal(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
            refusal(403, "USER_ACCOUNT_ABNORMAL", "用户账户异常"),
            refusal(403, "NO_AUTH", "没有退款权限"),
            refusal(404, "RESOURCE_NOT_EXISTS", "订单不存在"),
            refusal(404, "MCH_NOT_EXISTS", "商户号不存在"),
        ],
    ),
    (
        "refund_query",
        &[
            refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在"),
            refusal(404, "MCH_NOT_EXISTS", "商户号不存在"),
        ],
    ),
    (
        "abnormal_refund",
        &[
            refusal(403, "NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
            refusal(403, "USER_ACCOUNT_ABNORMAL", "用户账户异常"),
            refusal(403, "NO_AUTH", "没有退款权限"),
            refusal(404, "RESOURCE_NOT_EXISTS", "退款单不存在"),
            refusal(404, "MCH_NOT_EXISTS", "商户号不存在"),
        ],
    ),
    (
        "receiver",
        &[
            refusal(403, "NO_AUTH", "商户无权限"),
            refusal(403, "RULE_LIMIT", "分账接收方数量超过限制"),
        ],
    ),
    (
        "share",
        &[
            refusal(403, "NO_AUTH", "无分账权限"),
            refusal(403, "NOT_ENOUGH", "分账金额不足"),
            refusal(403, "RULE_LIMIT", "分账金额超出最大分账比例"),
        ],
    ),
    (
        "share_return",
        &[
            refusal(403, "NO_AUTH", "商户无权限"),
            refusal(403, "NOT_ENOUGH", "可用余额不足，请充值后重新发起"),
            refusal(404, "RESOURCE_NOT_EXISTS", "记录不存在"),
        ],
    ),
    (
        "share_query",
        &[refusal(404, "RESOURCE_NOT_EXISTS", "记录不存在")],
    ),
    (
        "bill",
        &[
            refusal(400, "NO_STATEMENT_EXIST", "账单文件不存在"),
            refusal(400, "STATEMENT_CREATING", "账单生成中，请稍后再试"),
            refusal(403, "NO_AUTH", "商户无权限"),
        ],
    ),
    (
        "bill_file",
        &[refusal(
            403,
            "NO_AUTH",
            "下载账单的商户与申请账单的商户不一致",
        )],
    ),
    (
        "certificates",
        &[refusal(
            404,
            "RESOURCE_NOT_EXISTS",
            "无可用的平台证书，请在商户平台-API安全申请使用微信支付公钥。",
        )],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_the_status_that_its_route_gives_it() {
        for (route, code, status) in [
            ("order", "MCH_NOT_EXISTS", Some(400)),
            ("refund", "MCH_NOT_EXISTS", Some(404)),
            ("refund", "NOT_ENOUGH", Some(403)),
            ("order", "NOT_ENOUGH", None),
            ("*", "NOT_ENOUGH", Some(403)),
            ("query", "SYSTEM_ERROR", Some(500)),
            ("notification", "SYSTEM_ERROR", None),
            ("nowhere", "SYSTEM_ERROR", None),
            ("order", "order_closed", None),
        ] {
            let found = documented(route, code).map(|refusal| refusal.status);
            assert_eq!(found, status, "{route} {code}");
        }
        assert!(codes_of("close").contains(&"ORDER_PAID"));
        assert!(codes_of("notification").is_empty());
    }
}
