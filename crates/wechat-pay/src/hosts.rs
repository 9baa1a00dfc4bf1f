//! WeChat Pay's own hosts, for both versions of its API. No connection is opened here.
//!
//! There is a main and a backup host in each of two domains, so that a fault of one domain's name
//! leaves the other. Sources: `api.mch.weixin.qq.com` and `api2.mch.weixin.qq.com` are the main and
//! the backup host in WeChat's documents of both versions (跨城冗灾方案); `api.wechatpay.cn` and
//! `api2.wechatpay.cn` are named beside them by WeChat's own SDK (wechatpay-java, `Constant.java`).
//!
//! All of them settle in CNY. The hosts for merchants outside the mainland, such as
//! `apihk.mch.weixin.qq.com`, and their currencies are not supported: amounts here are fen.

/// A main host and the backup host of the same domain.
const PAIRS: [[&str; 2]; 2] = [
    ["api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"],
    ["api.wechatpay.cn", "api2.wechatpay.cn"],
];

/// The host that is called unless the merchant chooses another one.
pub const DEFAULT_HOST: &str = PAIRS[0][0];

/// Whether a host is one of WeChat Pay's own, for its API and for the files of bills.
#[must_use]
pub fn is_wechats_host(host: &str) -> bool {
    partner(host).is_some()
}

/// The other host of the same domain: it takes over while the first one cannot be reached. `None`
/// if the host is not WeChat Pay's own.
#[must_use]
pub fn partner(host: &str) -> Option<&'static str> {
    PAIRS.iter().find_map(|[main, backup]| {
        if host.eq_ignore_ascii_case(main) {
            Some(*backup)
        } else {
            host.eq_ignore_ascii_case(backup).then_some(*main)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_host_has_its_partner_and_no_other_name_is_wechats() {
        for (host, other) in [
            ("api.mch.weixin.qq.com", "api2.mch.weixin.qq.com"),
            ("api.wechatpay.cn", "api2.wechatpay.cn"),
        ] {
            assert_eq!(partner(host), Some(other));
            assert_eq!(partner(other), Some(host));
            assert!(is_wechats_host(&host.to_ascii_uppercase()));
        }
        assert!(is_wechats_host(DEFAULT_HOST));
        for host in [
            "",
            "mch.weixin.qq.com",
            "apihk.mch.weixin.qq.com",
            "api.mch.weixin.qq.com.evil.example",
            "api.mch.weixin.qq.com.",
            "xapi.wechatpay.cn",
            "127.0.0.1",
        ] {
            assert_eq!(partner(host), None, "{host}");
        }
    }
}
