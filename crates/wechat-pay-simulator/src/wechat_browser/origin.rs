//! Origins on this machine: the shop's, and the WeChat browser's own.
//!
//! A [`LoopbackOrigin`] is never on another machine.

use std::fmt;
use std::str::FromStr;

use url::Url;
use wechat_pay::is_loopback_host;

/// An origin on this machine: scheme, host and port, no path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopbackOrigin(String);

/// Why a text is not a [`LoopbackOrigin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// Not `http://host:port`.
    #[error("must be an origin such as http://127.0.0.1:8000, without a path")]
    NotAnOrigin,
    /// Another machine.
    #[error("must be on this machine (127.0.0.1, [::1] or localhost)")]
    NotLoopback,
}

impl FromStr for LoopbackOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = Url::parse(text).map_err(|_| OriginError::NotAnOrigin)?;
        let bare = url.scheme() == "http"
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let host = url.host_str().filter(|_| bare);
        match host {
            None => Err(OriginError::NotAnOrigin),
            Some(host) if !is_loopback_host(host) => Err(OriginError::NotLoopback),
            Some(_) => Ok(Self(url.origin().ascii_serialization())),
        }
    }
}

impl LoopbackOrigin {
    /// `http://127.0.0.1:8000`, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `127.0.0.1:8000`.
    pub(crate) fn authority(&self) -> &str {
        self.0.strip_prefix("http://").unwrap_or(&self.0)
    }
}

impl fmt::Display for LoopbackOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_of_this_machine_are_shown() {
        for (text, expected) in [
            ("http://127.0.0.1:8000", Ok("http://127.0.0.1:8000")),
            ("http://localhost:8000/", Ok("http://localhost:8000")),
            ("http://[::1]:8000", Ok("http://[::1]:8000")),
            ("http://127.0.0.1:80", Ok("http://127.0.0.1")),
            ("http://shop.example:8000", Err(OriginError::NotLoopback)),
            ("http://127.0.0.1.example", Err(OriginError::NotLoopback)),
            ("http://0.0.0.0:8000", Err(OriginError::NotLoopback)),
            ("https://127.0.0.1:8000", Err(OriginError::NotAnOrigin)),
            ("http://127.0.0.1:8000/path", Err(OriginError::NotAnOrigin)),
            ("http://u@127.0.0.1:8000", Err(OriginError::NotAnOrigin)),
            ("http://127.0.0.1:8000?a", Err(OriginError::NotAnOrigin)),
            ("127.0.0.1:8000", Err(OriginError::NotAnOrigin)),
            ("", Err(OriginError::NotAnOrigin)),
        ] {
            let origin = text.parse::<LoopbackOrigin>();
            assert_eq!(
                origin.as_ref().map(LoopbackOrigin::as_str),
                expected.as_ref().copied(),
                "{text}"
            );
        }
    }
}
