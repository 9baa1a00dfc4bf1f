//! `/p/{id}`: the page of a payment link. It needs no script.
//!
//! A GET only shows, to people, previews and programs alike. The button sends a form that makes the order
//! and leads (303) to the hosted page of that order, where the buyer pays as for any other order. The form
//! has a key of its own, so however often it is sent, it is one order. A form counts only from this page.
//!
//! The browser keeps the token of the order in a cookie of this page alone, so that a buyer who comes back
//! finds the order again instead of a link that is in use. What the buyer typed is text wherever it is
//! shown, never markup.

mod allowance;
mod form;
mod print;
mod view;

use std::sync::Arc;

pub(crate) use allowance::LinkOrders;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse as _, Response};
use form::Typed;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use merchant_api::{ApiError, CreatedOrder, ErrorCode};
use merchant_core::orders::links::{self, BuyerForm};
use merchant_core::{Merchants, Payments, Refusal};
pub(crate) use print::{SIDE_DEFAULT_MM, printed_code};
use view::Problem;

use super::cookies::cookie;
use crate::error::{Failure, status_of};
use crate::extract::{Caller, Language, PathText, note_merchant, read_body};
use crate::middleware::cross_origin::is_from_own_page;
use crate::pages::hosted_page::{plain_with_way, secure, secured};

pub(crate) const PATH: &str = "/p/{id}";

/// The cookie with the token of this browser's last order of the link.
const ORDER_COOKIE: &str = "link_order";
/// How long a browser keeps it: a buyer may come back to see that the order is paid.
const ORDER_COOKIE_S: u32 = 24 * 3_600;

/// What the page may load, and where its form may go: to this server alone.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'";

/// `GET /p/{id}`
pub(crate) async fn page(
    State(merchants): State<Merchants>,
    language: Language,
    PathText(id): PathText,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let payments = merchant_of_link(&merchants, &id).await?;
    let answered = shown(&payments, &id, language, &headers, None).await;
    or_unknown(answered, &merchants, language)
}

/// `POST /p/{id}`: makes the order, and leads to its page.
pub(crate) async fn order(
    State(merchants): State<Merchants>,
    State(link_orders): State<Arc<LinkOrders>>,
    language: Language,
    PathText(id): PathText,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = merchant_of_link(&merchants, &id).await?;
    if !is_from_own_page(&headers, merchants.first().config()) {
        // Another site sent the form. The buyer sees what it is about, and decides.
        let found = links::look(&payments, &id, None).await;
        let answered = found.map(|_| see_other(&format!("/p/{id}")));
        return or_unknown(answered.map_err(Failure::from), &merchants, language);
    }
    let typed = Typed::read(&read_body(body)?);
    if let Err(retry_after_ms) = link_orders.take(caller, payments.clock().monotonic_ms()) {
        let mut error = ApiError::new(ErrorCode::RateLimited, "too many orders of payment links");
        error.retry_after_ms = Some(retry_after_ms);
        return Err(Failure::from(error));
    }
    let form = BuyerForm {
        key: &typed.key,
        amount: &typed.amount,
        note: &typed.note,
    };
    let answered = match links::order(&payments, &id, &form).await {
        Ok(order) => Ok(to_order(&payments, &id, &order)),
        Err(refusal) => refused(&payments, &id, language, &headers, typed, refusal).await,
    };
    or_unknown(answered, &merchants, language)
}

/// A link that nobody has leads back to the shop, if the server has one.
fn or_unknown(
    answered: Result<Response, Failure>,
    merchants: &Merchants,
    language: Language,
) -> Result<Response, Failure> {
    match answered {
        Err(Failure(refusal)) if refusal.code() == ErrorCode::LinkUnknown => {
            refusal.log();
            let shop = merchants.first().config().only_shop();
            let shop = shop.filter(|_| merchants.count() == 1);
            let (status, words) = (StatusCode::NOT_FOUND, buyer_words::LINK_UNKNOWN);
            Ok(finished(plain_with_way(status, language, words, shop)))
        }
        answered => answered,
    }
}

/// The page as it is now; with a problem, the page again, with what the buyer typed.
async fn shown(
    payments: &Payments,
    id: &str,
    language: Language,
    headers: &HeaderMap,
    again: Option<(Typed, Problem)>,
) -> Result<Response, Failure> {
    let last_order = cookie(headers, ORDER_COOKIE);
    let link = links::look(payments, id, last_order).await?;
    let key = links::new_form_key(payments)?;
    let status = match (&again, link.over) {
        (_, Some(over)) => status_of(over),
        (Some(_), None) => StatusCode::BAD_REQUEST,
        (None, None) => StatusCode::OK,
    };
    let markup = view::page(payments.config(), id, &link, &key, again.as_ref(), language);
    Ok(finished(secured(status, &markup, POLICY)))
}

/// A form that made no order: the buyer sees why, and what is left to do.
async fn refused(
    payments: &Payments,
    id: &str,
    language: Language,
    headers: &HeaderMap,
    typed: Typed,
    refusal: Refusal,
) -> Result<Response, Failure> {
    let problem = match Problem::of(&refusal) {
        Some(problem) => problem,
        None if view::is_of_link(refusal.code()) => {
            refusal.log();
            return shown_over(payments, id, language, headers, refusal.code()).await;
        }
        None => return Err(refusal.into()),
    };
    refusal.log();
    shown(payments, id, language, headers, Some((typed, problem))).await
}

/// The page of a link that makes no order, for the reason that the order was refused for.
async fn shown_over(
    payments: &Payments,
    id: &str,
    language: Language,
    headers: &HeaderMap,
    over: ErrorCode,
) -> Result<Response, Failure> {
    let last_order = cookie(headers, ORDER_COOKIE);
    let mut link = links::look(payments, id, last_order).await?;
    link.over = Some(over);
    let markup = view::page(payments.config(), id, &link, "", None, language);
    Ok(finished(secured(status_of(over), &markup, POLICY)))
}

/// Leads to the order's page, and lets the browser keep the order's token for the link's page.
fn to_order(payments: &Payments, id: &str, order: &CreatedOrder) -> Response {
    let mut response = see_other(&format!("/c/{}", order.token));
    let is_secure = payments.config().public_base_url.scheme() == "https";
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!(
        "{ORDER_COOKIE}={}; Path=/p/{id}; Max-Age={ORDER_COOKIE_S}; HttpOnly; SameSite=Lax{secure}",
        order.token
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Redirects to another page of this server, by GET. The tokens and ids in its address are plain characters.
fn see_other(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    secure(&mut response);
    finished(response)
}

/// With no-referrer, browsers would send our own form without its origin; other sites learn nothing.
fn finished(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static("accept-language, cookie"),
    );
    response
}

/// The merchant whose link this is. For an id that no link has, it is a merchant that does not know it
/// either.
async fn merchant_of_link(merchants: &Merchants, id: &str) -> Result<Payments, Failure> {
    let payments = merchants.of_link(id).await?;
    note_merchant(payments);
    Ok(payments.clone())
}
