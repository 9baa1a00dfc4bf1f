//! Addresses of the configuration: origins, and when plain http is taken.

use url::{Host, Url};

use super::ConfigError;

/// Whether only this machine can be meant.
pub(crate) fn is_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The origin of an http(s) URL without user and password; `None` for anything else.
pub(crate) fn origin_of(text: &str) -> Option<String> {
    // The URL parser drops tabs and line ends and turns backslashes; a browser does the same,
    // but nobody means such an address.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none();
    is_plain.then(|| url.origin().ascii_serialization())
}

/// An address of ours or of WeChat's: https; http only where both ends are loopback.
pub(super) fn secure_url(
    field: &'static str,
    text: &str,
    our_end_is_loopback: bool,
) -> Result<Url, ConfigError> {
    let url = Url::parse(text)
        .map_err(|error| ConfigError::refused(field, format!("is not a URL: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::refused(
            field,
            "must not carry a user or password",
        ));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if our_end_is_loopback && is_loopback_host(&url) => Ok(url),
        "http" => Err(ConfigError::refused(
            field,
            "must be https; plain http is taken only where both ends are loopback addresses",
        )),
        _ => Err(ConfigError::refused(field, "must be https")),
    }
}

/// An address that is only scheme, host and port.
pub(super) fn bare(field: &'static str, url: Url) -> Result<Url, ConfigError> {
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::refused(
            field,
            "must be scheme, host and port alone, without path, query or fragment",
        ));
    }
    Ok(url)
}

/// Scheme and authority, without a slash at the end.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
