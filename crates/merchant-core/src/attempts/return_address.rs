//! Return addresses for buyers: only on allowed origins, with the element's parameters in the
//! query.

use merchant_api::{ErrorCode, PAYER_PARAMETER, RETURN_PARAMETER};
use url::{Url, form_urlencoded};

use crate::config::{Config, origin_of};
use crate::refusal::Refusal;

/// Checks an address of a page or an order; `field` is named in the refusal.
pub(crate) fn check(config: &Config, field: &str, text: &str) -> Result<Url, Refusal> {
    let is_allowed = origin_of(text).is_some_and(|origin| config.return_origins.contains(&origin));
    match Url::parse(text) {
        Ok(url) if is_allowed => Ok(url),
        _ => Err(Refusal::field(
            ErrorCode::ReturnUrlRefused,
            field,
            "must be an http(s) address on one of the allowed origins",
        )),
    }
}

/// The address with one of our parameters, after removing earlier ones. The rest of the query, and
/// the fragment, stay byte for byte, also after the element has removed our parameter: an empty
/// query (`/?#/pay`) is not the same as none.
pub(super) fn with_parameter(url: Url, name: &str, value: &str) -> Url {
    let mut url = without_parameters(url);
    let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let ours = format!("{name}={value}");
    let query = match url.query() {
        Some(rest) => format!("{rest}&{ours}"),
        None => ours,
    };
    url.set_query(Some(&query));
    url
}

/// The address without any parameter of ours.
pub(super) fn without_parameters(mut url: Url) -> Url {
    let is_ours = |part: &&str| {
        let name = part.split('=').next().unwrap_or_default();
        name == PAYER_PARAMETER || name == RETURN_PARAMETER
    };
    if let Some(query) = url.query() {
        let kept: Vec<_> = query.split('&').filter(|part| !is_ours(part)).collect();
        let rest = kept.join("&");
        url.set_query((!kept.is_empty()).then_some(&*rest));
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_replaces_ours_and_leaves_the_rest() {
        let cases = [
            (
                "https://s.example/p",
                "https://s.example/p?wechat_pay_payer=H",
            ),
            (
                "https://s.example/p?a=1&b=%2F#/cart",
                "https://s.example/p?a=1&b=%2F&wechat_pay_payer=H#/cart",
            ),
            (
                "https://s.example/p?wechat_pay_payer=old&x&wechat_pay_return=old",
                "https://s.example/p?x&wechat_pay_payer=H",
            ),
            (
                "https://s.example/?x=%2Fb%20c+d&flag&&sig=a%2Bb/c==&#/pay/2?y",
                "https://s.example/?x=%2Fb%20c+d&flag&&sig=a%2Bb/c==&&wechat_pay_payer=H#/pay/2?y",
            ),
            // An empty query is a query.
            (
                "https://s.example/?#/pay/2",
                "https://s.example/?&wechat_pay_payer=H#/pay/2",
            ),
            (
                "https://s.example/?&wechat_pay_payer=old#/pay/2",
                "https://s.example/?&wechat_pay_payer=H#/pay/2",
            ),
            (
                "https://s.example/?wechat_pay_return=old#/pay/2",
                "https://s.example/?wechat_pay_payer=H#/pay/2",
            ),
        ];
        for (from, expected) in cases {
            let url = with_parameter(Url::parse(from).unwrap(), PAYER_PARAMETER, "H");
            assert_eq!(url.as_str(), expected);
        }
    }
}
