//! What a form of the desk sends. It counts only from a page of this server: the browser names the
//! form's origin, and the form has its session's token.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, FromRequestParts as _, Request};
use axum::response::Response;
use http::StatusCode;
use merchant_core::Merchants;
use merchant_core::orders::desk::form_token;
use url::form_urlencoded;

use super::address::TOKEN_FIELD;
use super::problem::{self, problem};
use super::session::Desk;
use super::view::View;
use super::words;
use crate::extract::read_body;
use crate::middleware::cross_origin::is_from_own_page;

/// The fields of a form.
#[derive(Clone, Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Each field's first value counts; `None`: a field comes twice.
    fn read(body: &[u8]) -> Option<Self> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(body) {
            if fields.iter().any(|(known, _)| *known == name) {
                return None;
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Some(Self(fields))
    }

    /// The value of a field without blanks around it; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The same; `None` if it is empty.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }
}

/// A form that a signed-in person sent from a page of that session.
pub(super) struct Posted {
    pub(super) desk: Desk,
    pub(super) form: Form,
}

impl<S: Send + Sync> FromRequest<S> for Posted
where
    Merchants: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let desk = Desk::from_request_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        let form = read(request, state, &desk.view).await?;
        let expected = form_token(&desk.session);
        let given = form.get(TOKEN_FIELD);
        if verify_slices_are_equal(given.as_bytes(), expected.as_bytes()).is_err() {
            return Err(problem(
                &desk.view,
                StatusCode::FORBIDDEN,
                words::FORM_EXPIRED,
            ));
        }
        Ok(Self { desk, form })
    }
}

/// A form that needs no session: the sign-in, and the choice of a language.
pub(super) struct FormOfAnyone(pub(super) Form);

impl<S: Send + Sync> FromRequest<S> for FormOfAnyone
where
    Merchants: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(view) = View::from_request_parts(&mut parts, state).await;
        read(Request::from_parts(parts, body), state, &view)
            .await
            .map(Self)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S, view: &View) -> Result<Form, Response>
where
    Merchants: FromRef<S>,
{
    let merchants = Merchants::from_ref(state);
    if !is_from_own_page(request.headers(), merchants.first().config()) {
        let status = StatusCode::FORBIDDEN;
        return Err(problem(view, status, words::FORM_FOREIGN));
    }
    let body = Bytes::from_request(request, state).await;
    let body = read_body(body).map_err(|failure| problem::refused(view, failure.0))?;
    Form::read(&body).ok_or_else(|| problem(view, StatusCode::BAD_REQUEST, words::FORM_DOUBLE))
}
