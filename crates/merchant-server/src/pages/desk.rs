//! `/desk`: the merchant's page, for people: takings, orders with their story, refunds, what waits for a
//! person, payment links, bills, keys, the list for going live, and the journal. It is made on the server, and uses no
//! JavaScript.
//!
//! A person signs in with an API key whose scopes are the desk's (`desk:look` and others), and gets a
//! session ([`merchant_core::orders::desk`]). Without such a key in the configuration there is no desk. An action
//! calls the same function as the private API's route, so nothing is decided here. Whatever comes from
//! outside is text in the page, never markup.

mod address;
mod bills;
mod checklist;
mod document;
mod figure;
mod form;
mod frame;
mod guesses;
mod journal;
mod keys;
mod language;
mod links;
mod order;
mod orders;
mod overview;
mod patience;
mod plot;
mod problem;
mod refund;
mod said;
mod session;
mod settle;
mod sign_in;
mod tasks;
mod timeline;
mod view;
mod webhooks;
mod words;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
pub(crate) use guesses::SignIns;
use http::{HeaderName, HeaderValue, header};
use merchant_core::Merchants;

use crate::server::MerchantServer;

/// No script at all. A form goes to this server alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CACHE_CONTROL, "no-store"),
    (header::VARY, "accept-language, cookie"),
    // With no-referrer, browsers would send a form of ours without its origin.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
];

/// The pages; none where no key opens the desk.
pub(crate) fn routes(merchants: &Merchants) -> Router<MerchantServer> {
    if !merchants.have_desk() {
        return Router::new();
    }
    Router::new()
        .route(address::DESK, get(overview::page))
        .route(address::SIGN_IN, get(sign_in::page).post(sign_in::sign_in))
        .route("/desk/sign-out", post(sign_in::sign_out))
        .route("/desk/language", post(language::choose_language))
        .route(address::ORDERS, get(orders::page))
        .route("/desk/orders/{order_no}", get(order::page))
        .route(
            "/desk/orders/{order_no}/refund",
            get(refund::form).post(refund::confirm),
        )
        .route("/desk/orders/{order_no}/refunds", post(refund::create))
        .route(address::TASKS, get(tasks::page))
        .route("/desk/mismatches/{no}/done", post(tasks::done))
        .route(
            "/desk/refunds/{refund_no}/settle",
            get(settle::form).post(settle::settle),
        )
        .route(address::WEBHOOKS, get(webhooks::page))
        .route("/desk/webhooks/{id}/resend", post(webhooks::resend))
        .route(address::LINKS, get(links::page))
        .route("/desk/links/{id}/code.pdf", get(links::code_pdf))
        .route("/desk/links/{id}/disable", post(links::disable))
        .route(address::BILLS, get(bills::list))
        .route("/desk/bills/{day}", get(bills::day))
        .route(address::KEYS, get(keys::page))
        .route(
            address::CHECKLIST,
            get(checklist::page).post(checklist::run),
        )
        .route(address::JOURNAL, get(journal::page))
        .layer(from_fn(with_headers))
        .route(address::STYLE, get(style))
}

/// `GET /desk/desk.css`
async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, include_str!("desk/desk.css")).into_response()
}

async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
