//! What a request says about how its page is shown: the language, and the cookies' names. The language
//! is the browser's ([`Language`]) until a person chooses another one.

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts};
use http::HeaderValue;
use http::request::Parts;
use merchant_core::Merchants;

use super::address::DESK;
use crate::extract::Language;
use crate::pages::cookies::cookie;

pub(super) const LANGUAGE_COOKIE: &str = "desk_language";

/// How a page is shown.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) language: Language,
    /// Whether the server's address is https.
    pub(super) is_secure: bool,
    /// Whether real money moves.
    pub(super) is_live: bool,
    /// The address of the page, without the host.
    pub(super) address: String,
}

impl<S: Sync> FromRequestParts<S> for View
where
    Merchants: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let merchants = Merchants::from_ref(state);
        let config = merchants.first().config();
        let chosen = match cookie(&parts.headers, LANGUAGE_COOKIE) {
            Some("zh-CN") => Some(Language::ZhCn),
            Some("en") => Some(Language::En),
            _ => None,
        };
        Ok(Self {
            language: chosen.unwrap_or_else(|| Language::of(&parts.headers).for_staff()),
            is_secure: config.public_base_url.scheme() == "https",
            is_live: config.gateway.is_live(),
            address: parts.uri.to_string(),
        })
    }
}

impl View {
    /// The name of the session's cookie. Browsers take one with this prefix from https alone.
    pub(super) const fn session_cookie(&self) -> &'static str {
        if self.is_secure {
            "__Secure-desk"
        } else {
            "desk"
        }
    }

    /// The session's cookie. It ends with the browser, or after `age_s`.
    pub(super) fn set_session(&self, token: &str, age_s: i64) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let name = self.session_cookie();
        let text = format!(
            "{name}={token}; Path={DESK}; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"
        );
        HeaderValue::from_str(&text).ok()
    }
}
