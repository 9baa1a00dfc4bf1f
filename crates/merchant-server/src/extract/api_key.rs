//! Authentication of the private side: the API key of a call, and its scopes.

use axum::extract::{FromRef, FromRequestParts};
use http::header;
use http::request::Parts;
use merchant_api::ErrorCode;
use merchant_core::config::{ApiKey, Scope, SecretHash};
use merchant_core::{Merchants, Payments};

use super::note_merchant;
use crate::error::Failure;

/// The field of a call's span that names the key.
pub(crate) const API_KEY_FIELD: &str = "api_key";

/// A caller with a known API key. The key is one merchant's, and opens no other merchant's ledger.
#[derive(Clone)]
pub(crate) struct Backend {
    /// The merchant whose key it is.
    payments: Payments,
    scopes: Vec<Scope>,
    /// Whether the key reads the metrics of all merchants, and nothing else.
    is_monitoring: bool,
}

impl Backend {
    /// The payments that the key is for. A key that lacks the scope is refused.
    pub(crate) fn may(&self, scope: Scope) -> Result<&Payments, Failure> {
        if self.scopes.contains(&scope) {
            return Ok(&self.payments);
        }
        Err(Failure::new(
            ErrorCode::Forbidden,
            format!("this API key lacks the scope {}", scope.as_str()),
        ))
    }

    /// Refuses a key that has neither the scope nor that of a till.
    pub(crate) fn may_as_till_or(&self, scope: Scope) -> Result<&Payments, Failure> {
        self.may(Scope::Till).or_else(|_| self.may(scope))
    }

    /// Whether the key has this scope and no other.
    pub(crate) fn has_only(&self, scope: Scope) -> bool {
        self.scopes.iter().all(|known| *known == scope)
    }
}

impl Backend {
    /// The merchants whose metrics the key reads.
    pub(crate) fn may_read_metrics<'a>(
        &'a self,
        merchants: &'a Merchants,
    ) -> Result<Vec<&'a Payments>, Failure> {
        let own = self.may(Scope::Metrics)?;
        Ok(if self.is_monitoring {
            merchants.each().collect()
        } else {
            vec![own]
        })
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
    Merchants: FromRef<S>,
{
    type Rejection = Failure;

    /// Compares the hash of the key with every configured hash, also after a match. The key's name
    /// goes into every log line of this call.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let merchants = Merchants::from_ref(state);
        let refused = || Failure::new(ErrorCode::Unauthorized, "the API key is missing or wrong");
        let key = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(bearer)
            .ok_or_else(refused)?;
        let given = SecretHash::of(key);
        let mut found: Option<(&Payments, &ApiKey, bool)> = None;
        for payments in merchants.each() {
            for known in &payments.config().api_keys {
                if known.sha256.is(&given) {
                    found = Some((payments, known, false));
                }
            }
        }
        let first = merchants.first();
        for known in &first.config().monitoring_keys {
            if known.sha256.is(&given) {
                found = Some((first, known, true));
            }
        }
        let (payments, known, is_monitoring) = found.ok_or_else(refused)?;
        tracing::Span::current().record(API_KEY_FIELD, &*known.name);
        if !is_monitoring {
            note_merchant(payments);
        }
        Ok(Self {
            payments: payments.clone(),
            scopes: known.scopes.clone(),
            is_monitoring,
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
