//! The private side: the backend starts an attempt itself, for its app, its mini-program, its
//! till. The same rules as for pages: one number, one body; no new one while the old is in doubt.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use merchant_api::{Action, OrderState, StartAttempt, StartedAttempt};

use crate::attempts::{AttemptRequest, NextStep, Started};
use crate::checkouts::POLL_AFTER_MS;
use crate::config::Scope;
use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, read_body};
use crate::orders::attempt_details;
use crate::payments::{MerchantServer, Queue};
use crate::{attempts, orders};

/// `POST /v1/orders/{order_no}/attempts`
pub(crate) async fn start_attempt(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(order_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<StartedAttempt>, Failure> {
    backend.may(Scope::OrdersWrite)?;
    let wanted: StartAttempt = json_body::read_nested(&read_body(body)?, "an attempt")?;
    let order = orders::find(&server, &order_no).await?.order;
    let request = AttemptRequest::of_backend(wanted, &order)?;
    let started = attempts::start(&server, order.id, &request, Queue::Backend).await?;
    Ok(Json(answer(started)))
}

fn answer(started: Started) -> StartedAttempt {
    let Started { checkout, next } = started;
    let order = checkout.order;
    let mut answer = StartedAttempt {
        order_no: order.order_no,
        state: order.state,
        version: order.version,
        attempt: checkout.attempt.map(attempt_details),
        poll_after_ms: (order.state == OrderState::Open).then_some(POLL_AFTER_MS),
        code_url: None,
        h5_url: None,
        jsapi: None,
        mini_program: None,
        app: None,
    };
    match next {
        Some(NextStep::Page(Action::CodeUrl(url))) => answer.code_url = Some(url),
        Some(NextStep::Page(Action::H5Url(url))) => answer.h5_url = Some(url),
        Some(NextStep::Page(Action::Jsapi(parameters))) => answer.jsapi = Some(parameters),
        Some(NextStep::Page(Action::MiniProgram(parameters))) => {
            answer.mini_program = Some(parameters);
        }
        Some(NextStep::App(parameters)) => answer.app = Some(parameters),
        // A backend asks for a payer, and is not sent anywhere: see `AttemptRequest::of_backend`.
        Some(
            NextStep::Page(Action::AuthorizeUrl(_) | Action::MiniProgramPath(_)) | NextStep::Wait,
        )
        | None => {}
    }
    answer
}
