//! `/v1/checkouts`: the three routes of the contract that the element needs. The token in the path
//! is the authorisation: its holder can read the order and start and cancel an attempt, and can
//! never close the order.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::{Extension, Json};
use merchant_api::{AttemptForm, CancelForm, CheckoutAnswer, PollQuery};
use merchant_core::checkouts::Poll;
use merchant_core::{Merchants, attempts, checkouts};
use url::form_urlencoded;

use crate::connections::{Parking, Places, Resumed};
use crate::error::Failure;
use crate::extract::{Caller, PathText, merchant_of_token, read_body};

/// `POST /v1/checkouts/{token}/attempts`
pub(crate) async fn start_attempt(
    State(merchants): State<Merchants>,
    PathText(token): PathText,
    caller: Caller,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let body = read_body(body)?;
    let pairs: Vec<_> = form_urlencoded::parse(&body).collect();
    let form = AttemptForm::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let payments = merchant_of_token(&merchants, &token).await?;
    let answer = attempts::start_by_page(&payments, &token, form, caller.address).await?;
    Ok(Json(answer))
}

/// `POST /v1/checkouts/{token}/cancel`
pub(crate) async fn cancel_attempt(
    State(merchants): State<Merchants>,
    PathText(token): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let body = read_body(body)?;
    let pairs: Vec<_> = form_urlencoded::parse(&body).collect();
    let form = CancelForm::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let payments = merchant_of_token(&merchants, &token).await?;
    let answer = attempts::cancel_by_page(&payments, &token, form.after).await?;
    Ok(Json(answer))
}

/// `GET /v1/checkouts/{token}`
pub(crate) async fn read_checkout(
    State(merchants): State<Merchants>,
    State(places): State<Arc<Places>>,
    PathText(token): PathText,
    RawQuery(query): RawQuery,
    parking: Option<Extension<Parking>>,
    resumed: Option<Extension<Resumed>>,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let payments = merchant_of_token(&merchants, &token).await?;
    let may_hold = || places.may_hold(payments.held_polls(), merchants.count());
    if resumed.is_none() {
        let query = poll_query(query.as_deref().unwrap_or_default())?;
        match checkouts::begin_poll(&payments, &token, query, may_hold).await? {
            Poll::Answered(answer) => return Ok(Json(*answer)),
            Poll::Held(poll) => match parking {
                Some(Extension(parking)) => parking.park(poll).await,
                None => poll.end().await,
            },
        }
    }
    let answer = checkouts::end_poll(&payments, &token, may_hold).await?;
    Ok(Json(answer))
}

fn poll_query(query: &str) -> Result<PollQuery, Failure> {
    let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    Ok(PollQuery::parse(
        pairs.iter().map(|(name, value)| (&**name, &**value)),
    )?)
}
