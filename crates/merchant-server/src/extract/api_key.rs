//! Authentication of the private side: the API key of a call, and its scopes.

use axum::extract::{FromRef, FromRequestParts};
use http::header;
use http::request::Parts;
use merchant_api::ErrorCode;
use merchant_core::Payments;
use merchant_core::config::{Scope, SecretHash};

use crate::error::Failure;

/// The field of a call's span that names the key.
pub(crate) const API_KEY_FIELD: &str = "api_key";

/// A caller with a known API key.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    scopes: Vec<Scope>,
}

impl Backend {
    /// Refuses a key that lacks the scope.
    pub(crate) fn may(&self, scope: Scope) -> Result<(), Failure> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        Err(Failure::new(
            ErrorCode::Forbidden,
            format!("this API key lacks the scope {}", scope.as_str()),
        ))
    }
}

/// The key in an `Authorization` header. RFC 9110 (11.1) compares the scheme without case, and puts
/// one or more blanks after the scheme.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, key) = header.split_once(' ')?;
    let key = key.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("Bearer") && !key.is_empty()).then_some(key)
}

impl<S: Sync> FromRequestParts<S> for Backend
where
    Payments: FromRef<S>,
{
    type Rejection = Failure;

    /// Compares the hash of the key with every configured hash, also after a match. The key's name
    /// goes into every log line of this call.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let payments = Payments::from_ref(state);
        let refused = || Failure::new(ErrorCode::Unauthorized, "the API key is missing or wrong");
        let key = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(bearer)
            .ok_or_else(refused)?;
        let given = SecretHash::of(key);
        let mut found = None;
        for known in &payments.config().api_keys {
            if known.sha256.is(&given) {
                found = Some(known);
            }
        }
        let known = found.ok_or_else(refused)?;
        tracing::Span::current().record(API_KEY_FIELD, &*known.name);
        Ok(Self {
            scopes: known.scopes.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn the_scheme_is_compared_without_case_and_the_key_as_it_is() {
        for (header, key) in [
            ("Bearer AbC", Some("AbC")),
            ("bearer AbC", Some("AbC")),
            ("BEARER AbC", Some("AbC")),
            ("bEaReR   AbC", Some("AbC")),
            ("Bearer AbC ", Some("AbC ")),
            ("Bearer\tAbC", None),
            ("Bearer the shop's key", Some("the shop's key")),
            ("Bearer", None),
            ("Bearer ", None),
            ("BearerAbC", None),
            ("Basic AbC", None),
            ("AbC", None),
            ("", None),
        ] {
            assert_eq!(bearer(header), key, "{header:?}");
        }
    }
}
