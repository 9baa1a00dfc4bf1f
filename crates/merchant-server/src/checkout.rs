//! The three checkout routes of the contract: what the element needs. The token in the path is
//! the authorisation; it can look, start and cancel, and never close the order.

mod action;
mod answer;
mod attempts;
mod decision;
mod effort;
mod order_body;
mod poll;
mod request;
mod wish;

pub(crate) use action::NextStep;
pub(crate) use answer::{POLL_AFTER_MS, answer};
pub(crate) use attempts::{Started, start};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
pub(crate) use effort::ATTEMPT_ALLOWANCE;
use merchant_api::{AttemptForm, CancelForm, CheckoutAnswer, ErrorCode, PollQuery};
pub(crate) use order_body::check_terms;
pub(crate) use poll::ask;
pub(crate) use request::AttemptRequest;
use url::form_urlencoded;

use crate::client_address::Caller;
use crate::error::Failure;
use crate::ledger::Checkout;
use crate::order_locks::Queue;
use crate::path_text::PathText;
use crate::server::MerchantServer;

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
    let checkout = find(&server, &token).await?;
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
    let checkout = find(&server, &token).await?;
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
    let checkout = find(&server, &token).await?;
    poll::read(&server, checkout, query).await.map(Json)
}

/// The checkout of a token.
pub(crate) async fn find(server: &MerchantServer, token: &str) -> Result<Checkout, Failure> {
    server
        .ledger
        .checkout_by_token(token)
        .await?
        .ok_or_else(|| Failure::new(ErrorCode::CheckoutUnknown, "no checkout has this token"))
}

/// The checkout of an order that was there a moment ago.
async fn reread(server: &MerchantServer, order_id: i64) -> Result<Checkout, Failure> {
    server
        .ledger
        .checkout(order_id)
        .await?
        .ok_or_else(|| Failure::Internal("an order is gone from the ledger".to_owned()))
}

/// A body that came whole and is not too large.
pub(crate) fn read_body(body: Result<Bytes, BytesRejection>) -> Result<Bytes, Failure> {
    body.map_err(|rejection| {
        if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
            Failure::new(
                ErrorCode::TooLarge,
                "the body is larger than the contract allows",
            )
        } else {
            Failure::new(ErrorCode::InvalidRequest, "the body did not come whole")
        }
    })
}
