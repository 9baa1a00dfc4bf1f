//! The token in the path of a checkout, for the limits and the log. This module does not check
//! whether an order has this token.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The token in the address of a checkout or its page, as the routes read it: a percent-encoded
/// token is the same token. A text without the form of a token belongs to no order. Such a text is
/// neither counted nor logged.
pub(crate) fn token_of(path: &str) -> Option<Cow<'_, str>> {
    let mut parts = path.split('/').skip(1);
    let token = match parts.next()? {
        "c" => parts.next(),
        "v1" => parts.nth(1),
        _ => None,
    };
    let token = percent_decode_str(token?).decode_utf8().ok()?;
    Some(token).filter(|token| has_form_of_token(token))
}

/// Whether a text has the form of a token in the contract. Tokens of other backends have the same
/// form.
fn has_form_of_token(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (8..=256).contains(&text.len()) && text.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_same_in_every_spelling_that_the_routes_read() {
        let token = "Zk3v-4567_90";
        for path in [
            "/v1/checkouts/Zk3v-4567_90",
            "/v1/checkouts/%5Ak3v-4567_90/attempts",
            "/v1/checkouts/Zk3v%2D4567%5f90/cancel",
            "/c/Zk3v-4567_9%30/status",
        ] {
            assert_eq!(token_of(path).as_deref(), Some(token), "{path}");
        }
        for path in [
            "/v1/checkouts/short",
            "/c/Zk3v%004567",
            "/c/%FF%FF%FF%FF%FF%FF%FF%FF",
            "/healthz",
        ] {
            assert_eq!(token_of(path), None, "{path}");
        }
    }
}
