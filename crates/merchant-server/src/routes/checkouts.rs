//! `/v1/checkouts`: the three routes of the contract that the element needs. The token in the path
//! is the authorisation: its holder can read the order and start and cancel an attempt, and can
//! never close the order.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use merchant_api::{AttemptForm, CancelForm, CheckoutAnswer, PollQuery};
use merchant_core::{Payments, attempts, checkouts};
use url::form_urlencoded;

use crate::connections::Places;
use crate::error::Failure;
use crate::extract::{Caller, PathText, read_body};

/// `POST /v1/checkouts/{token}/attempts`
pub(crate) async fn start_attempt(
    State(payments): State<Payments>,
    PathText(token): PathText,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let body = read_body(body)?;
    let pairs: Vec<_> = form_urlencoded::parse(&body).collect();
    let form = AttemptForm::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let answer = attempts::start_by_page(&payments, &token, form, caller.address).await?;
    Ok(Json(answer))
}

/// `POST /v1/checkouts/{token}/cancel`
pub(crate) async fn cancel_attempt(
    State(payments): State<Payments>,
    PathText(token): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let body = read_body(body)?;
    let pairs: Vec<_> = form_urlencoded::parse(&body).collect();
    let form = CancelForm::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let answer = attempts::cancel_by_page(&payments, &token, form.after).await?;
    Ok(Json(answer))
}

/// `GET /v1/checkouts/{token}`
pub(crate) async fn read_checkout(
    State(payments): State<Payments>,
    State(places): State<Arc<Places>>,
    PathText(token): PathText,
    RawQuery(query): RawQuery,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let pairs: Vec<_> = form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let query = PollQuery::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    // The last places are for notifications and short calls.
    let may_hold = || !places.are_few();
    let answer = checkouts::poll(&payments, &token, query, may_hold).await?;
    Ok(Json(answer))
}
