//! The page with the code in its first HTML. The head is sent at once, so that the browser reads the
//! style and fetches the element's files while the order's first attempt is made at WeChat. The body
//! follows with the code, or with the page as it is without one.
//!
//! Only an order without any attempt gets one here ([`attempts::start_first_code`]), so the page
//! never ends or renews an attempt. The attempt runs in a task of its own: a browser that leaves
//! meanwhile changes nothing about it.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::future::ready;
use futures_util::stream::{StreamExt as _, once};
use http::{HeaderName, HeaderValue, Method};
use maud::Markup;
use merchant_api::{CheckoutAnswer, ErrorCode, OrderState, Product};
use merchant_core::ledger::Checkout;
use merchant_core::{Payments, Refusal, attempts, checkouts};
use tokio::task::JoinHandle;
use tracing::Instrument as _;

use super::document::{checkout_policy, with_headers};
use super::offer::BuyerContext;
use super::page_request::{Arrival, Notice, PageRequest};
use super::refusals::sentence;
use super::{view, visit};

/// How long the body waits for the attempt. After that the page is sent without a code, and the
/// attempt goes on: the element finds it, or waits for its end.
const CODE_WAIT_MS: i64 = 2_000;
/// Tells nginx to pass the head on at once.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Whether the page of this order brings a code along: a person opens it in a browser on a computer,
/// and nobody has begun to pay.
pub(super) fn is_due(
    method: &Method,
    request: &PageRequest,
    checkout: &Checkout,
    answer: &CheckoutAnswer,
) -> bool {
    let is_payable = answer.state == OrderState::Open
        && !checkout.order.is_closing
        && answer.remaining_ms != Some(0)
        && checkout.order.current_attempt == 0;
    let products = answer.products.as_deref().unwrap_or_default();
    let context = BuyerContext::of(&request.headers);
    is_payable
        // Another address is that of a page after a step or a return.
        && request.arrival == Arrival::default()
        && visit::is_navigation(method, &request.headers)
        && context.is_desktop_browser()
        && products.contains(&Product::Native)
}

/// The page, whose body waits for the attempt.
pub(super) fn page(payments: &Payments, payee: Option<&str>, request: PageRequest) -> Response {
    let starting = tokio::spawn({
        let (payments, token) = (payments.clone(), request.token.clone());
        async move {
            let started = attempts::start_first_code(&payments, &token).await;
            // Here, because the page may be gone when the attempt ends.
            started.inspect_err(Refusal::log)
        }
        .in_current_span()
    });
    let head = view::head(payments.config(), payee, request.language);
    let body = {
        let payments = payments.clone();
        async move { body(&payments, starting, request).await }.in_current_span()
    };
    let parts = once(ready(head)).chain(once(body));
    let parts = parts.map(|part| Ok::<_, Infallible>(Bytes::from(part.into_string())));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = [
        (http::header::CONTENT_TYPE, html),
        (ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    let response = (headers, Body::from_stream(parts)).into_response();
    with_headers(response, &checkout_policy(payments))
}

type Starting = JoinHandle<Result<CheckoutAnswer, Refusal>>;

/// The body, once the attempt has ended one way or the other. The status has been sent, so a failure
/// is a sentence on the page.
async fn body(payments: &Payments, starting: Starting, mut request: PageRequest) -> Markup {
    request.arrival.notice = tokio::select! {
        started = starting => {
            let started = started.unwrap_or_else(|error| Err(Refusal::Internal(error.to_string())));
            started.err().and_then(|refusal| notice_of(&refusal))
        }
        () = payments.clock().sleep_ms(CODE_WAIT_MS) => None,
    };
    match checkouts::show(payments, &request.token).await {
        Ok((checkout, answer)) => view::body(payments.config(), &checkout, &answer, &request),
        Err(refusal) => {
            refusal.log();
            let words = sentence(refusal.code());
            view::refusal_body(payments.config(), &request.token, words, request.language)
        }
    }
}

/// The sentence about a refused attempt. The page without a code says the rest: that the time is
/// over, or that there is a button.
fn notice_of(refusal: &Refusal) -> Option<Notice> {
    match refusal.code() {
        ErrorCode::RateLimited | ErrorCode::CheckoutExpired | ErrorCode::AttemptSuperseded => None,
        code => Some(Notice::NoCode(sentence(code))),
    }
}
