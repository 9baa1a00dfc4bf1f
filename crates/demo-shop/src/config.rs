//! The shop's configuration. The API key never appears in a log or a `Debug` output.

use std::fmt;

use url::Url;

/// The shop's addresses and the merchant server that it sells through.
#[derive(Clone, Debug)]
pub struct ShopConfig {
    /// The merchant server's address, e.g. `http://127.0.0.1:8080`.
    pub merchant_server: Url,
    /// The key that authorises this shop at the merchant server.
    pub api_key: ApiKey,
    /// The origin where buyers reach the shop, e.g. `http://127.0.0.1:8000`.
    pub public_origin: Url,
    /// The origin where buyers reach the shop inside the simulator's WeChat browser, which forwards
    /// to this shop.
    pub wechat_origin: Option<Url>,
}

impl ShopConfig {
    /// The origin under which this buyer sees the shop. Any client can send a forwarded host, so
    /// the host counts only if it is the configured one.
    pub(crate) fn origin_for(&self, forwarded_host: Option<&str>) -> url::Origin {
        match &self.wechat_origin {
            Some(origin) if forwarded_host == Some(origin.authority()) => origin.origin(),
            _ => self.public_origin.origin(),
        }
    }
}

/// The key for the merchant server's private API.
#[derive(Clone)]
pub struct ApiKey(String);

impl ApiKey {
    /// Takes the key that the merchant server printed.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ApiKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiKey, ShopConfig};

    #[test]
    fn only_the_known_wechat_browser_changes_the_origin() {
        let config = ShopConfig {
            merchant_server: "http://127.0.0.1:8080".parse().unwrap(),
            api_key: ApiKey::new("secret"),
            public_origin: "http://127.0.0.1:8000".parse().unwrap(),
            wechat_origin: Some("http://127.0.0.1:9411".parse().unwrap()),
        };
        let cases = [
            (None, "http://127.0.0.1:8000"),
            (Some("127.0.0.1:9411"), "http://127.0.0.1:9411"),
            (Some("evil.example"), "http://127.0.0.1:8000"),
            (Some(""), "http://127.0.0.1:8000"),
        ];
        for (forwarded_host, expected) in cases {
            let origin = config.origin_for(forwarded_host);
            assert_eq!(origin.ascii_serialization(), expected, "{forwarded_host:?}");
        }
        assert!(!format!("{config:?}").contains("secret"));
    }
}
