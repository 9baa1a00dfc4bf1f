//! Addresses that a buyer is sent back to: only on allowed origins, and with what the element
//! finds again in their query.

use merchant_api::{ErrorCode, PAYER_PARAMETER, RETURN_PARAMETER};
use url::Url;

use crate::config::{Config, origin_of};
use crate::error::Failure;

/// Checks an address of a page or an order; `field` is named in the refusal.
pub(crate) fn check(config: &Config, field: &str, text: &str) -> Result<Url, Failure> {
    let is_allowed = origin_of(text).is_some_and(|origin| config.return_origins.contains(&origin));
    match Url::parse(text) {
        Ok(url) if is_allowed => Ok(url),
        _ => Err(Failure::field(
            ErrorCode::ReturnUrlRefused,
            field,
            "must be an http(s) address on one of the allowed origins",
        )),
    }
}

/// The address with one parameter of ours; whatever an earlier round left is taken off first.
/// The rest of the query, and the fragment, stay as they are.
pub(crate) fn with_parameter(mut url: Url, name: &str, value: &str) -> Url {
    let is_ours = |part: &&str| {
        let name = part.split('=').next().unwrap_or_default();
        name == PAYER_PARAMETER || name == RETURN_PARAMETER
    };
    if let Some(query) = url.query() {
        let kept: Vec<_> = query.split('&').filter(|part| !is_ours(part)).collect();
        let kept = kept.join("&");
        url.set_query(Some(&*kept).filter(|query| !query.is_empty()));
    }
    url.query_pairs_mut().append_pair(name, value);
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
        ];
        for (from, expected) in cases {
            let url = with_parameter(Url::parse(from).unwrap(), PAYER_PARAMETER, "H");
            assert_eq!(url.as_str(), expected);
        }
    }
}
