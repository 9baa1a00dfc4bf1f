//! `/till`: a till for a shop's counter. The cashier types an amount and scans the code that the buyer
//! shows (付款码). The page creates one order for each sale and pays it through the private API, with an
//! API key of the scope `till`. The cashier types the key once; only the browser keeps it.
//!
//! The page itself holds no data and needs no key. It decides nothing about a payment: each screen shows
//! what the server says about the order. The language is the browser's ([`Language`]).

mod document;
mod files;
mod words;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderName, HeaderValue, StatusCode, header};
use merchant_api::{AttemptProduct, ErrorCode};
use merchant_core::Merchants;
use merchant_core::config::Scope;
use serde::Serialize;

use crate::error::Failure;
use crate::extract::{Backend, Language};
use crate::server::MerchantServer;

/// The address of [`settings`].
pub(crate) const SETTINGS_PATH: &str = "/till/settings";
const PATH: &str = "/till";
/// The page loads its own files and calls this server. A form is never sent, so that no key can
/// become part of an address.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::CACHE_CONTROL, "no-store"),
    (header::VARY, "accept-language"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// What a till needs to know before its first sale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct TillSettings {
    /// Whether the merchant takes payment codes.
    offers_code_pay: bool,
    /// Partner mode: the sub-merchants, one of which each order names. Empty: the merchant sells for
    /// itself.
    sub_mchids: Vec<String>,
}

/// The page and its files.
pub(crate) fn routes() -> Router<MerchantServer> {
    files::routes().route(PATH, get(page))
}

/// `GET /till`
async fn page(State(merchants): State<Merchants>, language: Language) -> Response {
    let config = merchants.first().config();
    // Whose till it is, is known by the key alone: a receipt names no other merchant's contact.
    let contact = config.service_contact.as_ref();
    let contact = contact.filter(|_| merchants.count() == 1);
    let markup = document::page(config.gateway.is_live(), contact, language.for_staff());
    let mut response = (StatusCode::OK, markup).into_response();
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// `GET /till/settings`: checks the key that the cashier typed. A key that may do more than a till
/// needs is refused, because many people can see what is typed at a counter.
pub(crate) async fn settings(backend: Backend) -> Result<Json<TillSettings>, Failure> {
    let payments = backend.may(Scope::Till)?;
    if !backend.has_only(Scope::Till) {
        return Err(Failure::field(
            ErrorCode::Forbidden,
            "scopes",
            "of this API key allow more than a till needs; use a key whose only scope is till",
        ));
    }
    let config = payments.config();
    let subs = &config.merchant.sub_merchants;
    Ok(Json(TillSettings {
        offers_code_pay: config.products.contains(&AttemptProduct::CodePay),
        sub_mchids: subs.iter().map(|sub| sub.sub_mchid.clone()).collect(),
    }))
}
