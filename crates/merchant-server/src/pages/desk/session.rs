//! Who is at the desk: the session of the cookie. Without one, the browser is sent to the sign-in, and
//! nothing happens.

use axum::extract::{FromRef, FromRequestParts};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{Method, StatusCode};
use merchant_core::config::Scope;
use merchant_core::orders::desk::{self, Action, Ended, Note, SignedIn};
use merchant_core::{Merchants, Payments, Refusal};
use url::form_urlencoded;

use super::address::{DESK, SIGN_IN};
use super::problem::{self, problem};
use super::view::View;
use super::words;
use crate::extract::{API_KEY_FIELD, note_merchant};
use crate::pages::cookies::cookie;

/// A signed-in person, and how the page is shown.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) session: SignedIn,
    pub(super) view: View,
}

impl Desk {
    /// The merchant whose desk it is.
    pub(super) fn payments(&self) -> &Payments {
        &self.session.payments
    }

    /// Whether the key has this scope.
    pub(super) fn has(&self, scope: Scope) -> bool {
        self.session.scopes.contains(&scope)
    }

    /// The refusal of a key without this scope.
    pub(super) fn forbidden(&self, scope: Scope) -> Option<Response> {
        let refuse = || problem(&self.view, StatusCode::FORBIDDEN, words::SCOPE_MISSING);
        (!self.has(scope)).then(refuse)
    }

    /// The page that gives the reason of a refusal.
    pub(super) fn refused(&self, refusal: Refusal) -> Response {
        problem::refused(&self.view, refusal)
    }

    /// Runs an action with its entries in the journal. It says whether it had an effect.
    pub(super) async fn act<T>(
        &self,
        action: Action,
        order_no: Option<&str>,
        subject: &str,
        work: impl Future<Output = Result<(T, bool), Refusal>>,
    ) -> Result<(T, bool), Response> {
        let note = Note {
            key_name: &self.session.key_name,
            action,
            order_no,
            subject: Some(subject),
        };
        // A future of its own allocation: the calls to WeChat are large.
        let done = desk::note(self.payments(), note, Box::pin(work)).await;
        done.map_err(|refusal| self.refused(refusal))
    }
}

impl<S: Sync> FromRequestParts<S> for Desk
where
    Merchants: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let Ok(view) = View::from_request_parts(parts, state).await;
        let merchants = Merchants::from_ref(state);
        let Some(token) = cookie(&parts.headers, view.session_cookie()) else {
            return Err(to_sign_in(parts, &view, None));
        };
        let found = desk::find(&merchants, token).await;
        match found.map_err(|refusal| problem::refused(&view, refusal))? {
            Ok(session) => {
                tracing::Span::current().record(API_KEY_FIELD, &*session.key_name);
                note_merchant(&session.payments);
                Ok(Self { session, view })
            }
            Err(ended) => Err(to_sign_in(parts, &view, Some(ended))),
        }
    }
}

/// Sends the browser to the sign-in, which says why, and from there back to the page. What a form
/// asked for is not done.
fn to_sign_in(parts: &Parts, view: &View, ended: Option<Ended>) -> Response {
    let is_reading = matches!(parts.method, Method::GET | Method::HEAD);
    let reason = match ended {
        _ if !is_reading => "not_done",
        None => "",
        Some(Ended::Unknown) => "unknown",
        Some(Ended::Idle) => "idle",
        Some(Ended::Old) => "old",
        Some(Ended::Revoked) => "revoked",
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    if is_reading && view.address != DESK {
        query.append_pair("to", &view.address);
    }
    if !reason.is_empty() {
        query.append_pair("reason", reason);
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    Redirect::to(&format!("{SIGN_IN}{mark}{query}")).into_response()
}
