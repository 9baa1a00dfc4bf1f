//! Addresses in the configuration: origins, and the rule for plain http.

use std::net::IpAddr;

use url::Url;

use super::ConfigError;
use super::forms::trimmed;

/// Whether the host is this machine, by the rule that also holds for what WeChat calls.
pub(crate) fn is_loopback_host(url: &Url) -> bool {
    url.host_str().is_some_and(wechat_pay::is_loopback_host)
}

/// Whether WeChat can see this address as the payer's. A private address means that
/// `trusted_proxies` is wrong.
pub fn is_public(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            // 100.64.0.0/10: inside of a carrier's or a cloud's network.
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && second & 0b1100_0000 == 64;
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || is_shared)
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local())
        }
    }
}

/// The origin of an http(s) URL without user and password; `None` for anything else.
pub(crate) fn origin_of(text: &str) -> Option<String> {
    // The URL parser, like a browser, drops tabs and line ends and turns backslashes. Such an
    // address is a mistake.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    is_plain.then(|| url.origin().ascii_serialization())
}

/// The rule for plain http.
#[derive(Clone, Copy, Debug)]
pub(super) enum PlainHttp {
    /// This machine calls the address, so a loopback address never leaves the machine.
    ToLoopback,
    /// Other programs call the address, or buyers are redirected to it. The value says whether they
    /// are on this machine.
    BetweenLoopbacks {
        /// Whether the other end is on this machine.
        other_end_is_loopback: bool,
    },
}

/// Checks an address: https, or http where no byte leaves this machine.
pub(super) fn secure_url(
    field: &'static str,
    text: &str,
    plain_http: PlainHttp,
) -> Result<Url, ConfigError> {
    let refused = |rule: &str| Err(ConfigError::refused(field, rule));
    let text = trimmed(text);
    if text.is_empty() {
        return refused("is empty");
    }
    // The URL parser would drop or change these, and the address would be another one.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return refused("has a blank, a line end or a backslash in it");
    }
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => return refused(SCHEME_IS_MISSING),
        Err(error) => return refused(&format!("is not a URL: {error}")),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refused("must not carry a user or password");
    }
    match (url.scheme(), plain_http) {
        ("https", _) => Ok(url),
        ("http", PlainHttp::ToLoopback) if is_loopback_host(&url) => Ok(url),
        ("http", PlainHttp::ToLoopback) => {
            refused("must be https; plain http is taken only to a loopback address of this machine")
        }
        (
            "http",
            PlainHttp::BetweenLoopbacks {
                other_end_is_loopback: true,
            },
        ) if is_loopback_host(&url) => Ok(url),
        ("http", PlainHttp::BetweenLoopbacks { .. }) => refused(
            "must be https; plain http is taken only where both ends are loopback addresses",
        ),
        // `localhost:8080` has the scheme `localhost` for a parser.
        _ if !text.contains("://") => refused(SCHEME_IS_MISSING),
        _ => refused("must be https"),
    }
}

const SCHEME_IS_MISSING: &str = "must begin with https://";

/// An address that is only scheme, host and port.
pub(super) fn bare(field: &'static str, url: Url) -> Result<Url, ConfigError> {
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        let rule = format!(
            "must be scheme, host and port alone, without path, query or fragment: {}",
            origin(&url)
        );
        return Err(ConfigError::refused(field, rule));
    }
    Ok(url)
}

/// Origins of pages, in the form in which a browser sends them: lower-case, without the scheme's
/// default port, without a slash at the end.
pub(super) fn origins(
    field: &'static str,
    list: &[String],
    we_are_loopback: bool,
) -> Result<Vec<String>, ConfigError> {
    let plain_http = PlainHttp::BetweenLoopbacks {
        other_end_is_loopback: we_are_loopback,
    };
    let read = |text: &String| {
        if text.contains('*') {
            return Err(ConfigError::refused(
                field,
                "must name each origin in full, such as https://www.shop.example: a * stands for nothing here",
            ));
        }
        if trimmed(text) == "null" {
            return Err(ConfigError::refused(
                field,
                "must not be null, which is the origin of every file and every sandboxed frame",
            ));
        }
        let url = bare(field, secure_url(field, text, plain_http)?)?;
        if url.host_str().is_some_and(|host| host.ends_with('.')) {
            return Err(ConfigError::refused(
                field,
                "must not have a dot at the end of its host: pages are opened without it",
            ));
        }
        Ok(origin(&url))
    };
    list.iter().map(read).collect()
}

/// Scheme and authority, without a slash at the end.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
