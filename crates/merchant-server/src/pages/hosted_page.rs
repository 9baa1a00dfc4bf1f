//! `/c/{token}`: the hosted checkout page, for shops that embed nothing and for browsers in which
//! the element cannot run. The plain HTML page works without JavaScript and WebAssembly. Where the
//! element can run, it takes the page's place.
//!
//! A GET never ends or replaces an attempt, and never asks WeChat whether the order is paid. It
//! starts one thing: the first attempt of an order, with a code, for a person who opens the page in
//! a browser on a computer ([`first_code`]). A bot that follows the link, a preview, a page that is
//! fetched ahead and a frame start nothing, and a reload shows the same code. Every other step is a
//! form that the buyer sends, with the attempt that the buyer saw. The language is the browser's
//! ([`Language`]).

mod amount;
mod assets;
mod code;
mod document;
mod failure;
mod first_code;
mod marks;
mod offer;
mod page_request;
mod refusals;
mod status;
mod time_text;
mod view;
mod visit;

use std::sync::Arc;

pub(crate) use amount::amount;
pub(crate) use assets::{SCRIPT_PATH, STYLE_PATH, script, style};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use document::checkout_policy;
pub(crate) use document::{card, document, document_of, plain_with_way, secure, secured};
pub(crate) use failure::{as_page, failure};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
pub(crate) use marks::{brand, logo};
use merchant_api::{Action, AttemptForm};
use merchant_core::{Merchants, Payments, Refusal, attempts, checkouts};
use offer::BuyerContext;
use page_request::{Arrival, CHECKED_PARAMETER, CODE_PARAMETER, PageRequest, SUPERSEDED_PARAMETER};
pub(crate) use refusals::sentence;
pub(crate) use status::status;
use url::form_urlencoded;
pub(crate) use view::service_contact;

use crate::connections::Places;
use crate::error::{Failure, status_of};
use crate::extract::{Caller, Language, PathText, merchant_of_token, read_body};

/// `GET /c/{token}`
pub(crate) async fn page(
    State(merchants): State<Merchants>,
    State(places): State<Arc<Places>>,
    language: Language,
    PathText(token): PathText,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let payments = merchant_of_token(&merchants, &token).await?;
    let (checkout, answer) = checkouts::show(&payments, &token).await?;
    let request = PageRequest {
        token,
        headers,
        arrival: Arrival::parse(&query.unwrap_or_default()),
        language,
    };
    if visit::is_navigation(&method, &request.headers) {
        checkouts::note_shown(&payments, &checkout);
    }
    // The last places are for notifications and short calls.
    let is_code_due =
        first_code::is_due(&method, &request, &checkout, &answer) && !places.are_few();
    let mut response = if is_code_due {
        first_code::page(&payments, answer.payee.as_deref(), request)
    } else {
        let markup = view::page(payments.config(), &checkout, &answer, &request);
        secured(StatusCode::OK, &markup, &checkout_policy(&payments))
    };
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static(visit::VARY));
    Ok(response)
}

/// `POST /c/{token}/start`: the same form as the element's, answered with a page or a redirect.
pub(crate) async fn start(
    State(merchants): State<Merchants>,
    language: Language,
    PathText(token): PathText,
    caller: Caller,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = merchant_of_token(&merchants, &token).await?;
    // An unknown token is reported first, whatever the form holds.
    checkouts::show(&payments, &token).await?;
    let form = match read_form(&payments, &token, body) {
        Ok(form) => form,
        Err(Failure(refusal)) => return Ok(refused(&payments, &token, &refusal, language)),
    };
    let started = attempts::start_by_page(&payments, &token, form, caller.address).await;
    let answer = match started {
        Ok(answer) => answer,
        // The page shows the state and offers to take over.
        Err(Refusal::Superseded(_)) => {
            return see_other(&format!("/c/{token}?{SUPERSEDED_PARAMETER}=1"));
        }
        Err(refusal) => return Ok(refused(&payments, &token, &refusal, language)),
    };
    match answer.action {
        Some(Action::H5Url(url) | Action::AuthorizeUrl(url)) => see_other(&url),
        Some(Action::Jsapi(parameters)) => {
            let (checkout, _) = checkouts::show(&payments, &token).await?;
            let markup = view::cashier(payments.config(), &checkout, &parameters, language);
            Ok(secured(
                StatusCode::OK,
                &markup,
                &checkout_policy(&payments),
            ))
        }
        _ if BuyerContext::of(&headers).is_handheld => {
            see_other(&format!("/c/{token}?{CODE_PARAMETER}=1"))
        }
        _ => see_other(&format!("/c/{token}")),
    }
}

/// `POST /c/{token}/check`: the buyer says "I have paid", so WeChat is queried.
pub(crate) async fn check(
    State(merchants): State<Merchants>,
    PathText(token): PathText,
) -> Result<Response, Failure> {
    let payments = merchant_of_token(&merchants, &token).await?;
    checkouts::check(&payments, &token).await?;
    see_other(&format!("/c/{token}?{CHECKED_PARAMETER}=1"))
}

/// Reads the page's own form. The return address is this page, whatever the form says.
fn read_form(
    payments: &Payments,
    token: &str,
    body: Result<Bytes, BytesRejection>,
) -> Result<AttemptForm, Failure> {
    let body = read_body(body)?;
    let pairs: Vec<_> = form_urlencoded::parse(&body).collect();
    let mut form = AttemptForm::parse(pairs.iter().map(|(name, value)| (&**name, &**value)))?;
    let mut back = payments.config().public_base_url.clone();
    back.set_path(&format!("/c/{token}"));
    form.return_url = Some(back.into());
    Ok(form)
}

/// A refusal as a page, with the status that a program would get.
fn refused(payments: &Payments, token: &str, refusal: &Refusal, language: Language) -> Response {
    let code = refusal.code();
    refusal.log();
    let markup = view::refusal(payments.config(), token, refusals::sentence(code), language);
    secured(status_of(code), &markup, &checkout_policy(payments))
}

/// Redirects to another page, by GET.
fn see_other(to: &str) -> Result<Response, Failure> {
    let to = HeaderValue::from_str(to).map_err(|error| Refusal::Internal(error.to_string()))?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    secure(&mut response);
    Ok(response)
}
