//! The three checkout routes of the contract: what the element needs. The token in the path is
//! the authorisation; it can look, start and cancel, and never close the order.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use merchant_api::{AttemptForm, CancelForm, CheckoutAnswer, PollQuery};
use url::form_urlencoded;

use crate::attempts::{self, AttemptRequest};
use crate::checkouts;
use crate::error::Failure;
use crate::extract::{Caller, PathText, read_body};
use crate::payments::{MerchantServer, Queue};

/// `POST /v1/checkouts/{token}/attempts`
pub(crate) async fn start_attempt(
    State(server): State<MerchantServer>,
    PathText(token): PathText,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let body = read_body(body)?;
    let pairs: Vec<_> = form_urlencoded::parse(&body).collect();
    let form = AttemptForm::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let checkout = checkouts::find(&server, &token).await?;
    let request = AttemptRequest::of_page(form, caller);
    let started = attempts::start(&server, checkout.order.id, &request, Queue::Pages).await?;
    Ok(Json(started.into_answer(&server)))
}

/// `POST /v1/checkouts/{token}/cancel`
pub(crate) async fn cancel_attempt(
    State(server): State<MerchantServer>,
    PathText(token): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let body = read_body(body)?;
    let pairs: Vec<_> = form_urlencoded::parse(&body).collect();
    let form = CancelForm::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let checkout = checkouts::find(&server, &token).await?;
    attempts::cancel(&server, checkout.order.id, form.after)
        .await
        .map(Json)
}

/// `GET /v1/checkouts/{token}`
pub(crate) async fn read_checkout(
    State(server): State<MerchantServer>,
    PathText(token): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let pairs: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let query = PollQuery::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let checkout = checkouts::find(&server, &token).await?;
    checkouts::read(&server, checkout, query).await.map(Json)
}
