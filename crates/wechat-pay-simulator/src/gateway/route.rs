//! Paths of the gateway, and the method that each takes.

use http::Method;
use percent_encoding::percent_decode_str;
use wechat_pay::Product;

/// A path that the gateway knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Order(Product),
    /// The merchant's number, decoded.
    QueryByNumber(String),
    /// WeChat's number, decoded.
    QueryById(String),
    /// The merchant's number, decoded.
    Close(String),
}

impl Route {
    pub(super) fn find(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/v3/pay/transactions/")?;
        let segments: Vec<&str> = rest.split('/').collect();
        match segments.as_slice() {
            ["jsapi"] => Some(Self::Order(Product::Jsapi)),
            ["h5"] => Some(Self::Order(Product::H5)),
            ["native"] => Some(Self::Order(Product::Native)),
            ["out-trade-no", number] => Some(Self::QueryByNumber(decode(number)?)),
            ["out-trade-no", number, "close"] => Some(Self::Close(decode(number)?)),
            ["id", id] => Some(Self::QueryById(decode(id)?)),
            _ => None,
        }
    }

    pub(super) fn method(&self) -> Method {
        match self {
            Self::Order(_) | Self::Close(_) => Method::POST,
            Self::QueryByNumber(_) | Self::QueryById(_) => Method::GET,
        }
    }
}

fn decode(segment: &str) -> Option<String> {
    if segment.is_empty() {
        return None;
    }
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_paths_are_routes() {
        let number = |text: &str| text.to_owned();
        for (path, expected) in [
            (
                "/v3/pay/transactions/jsapi",
                Some(Route::Order(Product::Jsapi)),
            ),
            ("/v3/pay/transactions/h5", Some(Route::Order(Product::H5))),
            (
                "/v3/pay/transactions/native",
                Some(Route::Order(Product::Native)),
            ),
            (
                "/v3/pay/transactions/out-trade-no/A%7C1",
                Some(Route::QueryByNumber(number("A|1"))),
            ),
            (
                "/v3/pay/transactions/out-trade-no/A%7C1/close",
                Some(Route::Close(number("A|1"))),
            ),
            (
                "/v3/pay/transactions/id/42",
                Some(Route::QueryById(number("42"))),
            ),
            ("/v3/pay/transactions/native/", None),
            ("/v3/pay/transactions/app", None),
            ("/v3/pay/transactions/out-trade-no/", None),
            ("/v3/pay/transactions/out-trade-no//close", None),
            ("/v3/pay/transactions/out-trade-no/A/B", None),
            ("/v3/pay/transactions/id/%FF", None),
            ("/v3/pay/transactions/", None),
            ("/v3/certificates", None),
            ("", None),
        ] {
            assert_eq!(Route::find(path), expected, "{path}");
        }
    }
}
