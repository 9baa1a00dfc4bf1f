//! All routes, and what each group of them allows.

mod checkouts;
pub(crate) mod openapi;
mod orders;
mod unknown;
mod webhooks;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use merchant_api::FORM_MAX_BYTES;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::config::{NOTIFY_PATH, RECEIPT_PATH, REFUND_NOTIFY_PATH};
use crate::extract::PathText;
use crate::middleware::{cross_origin, limit, log};
use crate::pages::{hosted_page, receipt_page};
use crate::payments::MerchantServer;
use crate::wechat::CallSource;
use crate::{bills, metrics, mismatches, notifications, refunds};

/// Largest order that a backend may send, in bytes.
const ORDER_MAX_BYTES: usize = 64 * 1024;
/// Largest notification, in bytes: WeChat's are below 10 KB.
const NOTIFICATION_MAX_BYTES: usize = 256 * 1024;

/// The whole server as one service. Behind `serve` each request carries the peer's address.
pub fn app(server: MerchantServer) -> Router {
    let public = Router::new()
        .route("/v1/checkouts/{token}", get(checkouts::read_checkout))
        .route(
            "/v1/checkouts/{token}/attempts",
            post(checkouts::start_attempt),
        )
        .route(
            "/v1/checkouts/{token}/cancel",
            post(checkouts::cancel_attempt),
        )
        // Before the layers: what a browser asks ahead of a call (OPTIONS) is answered by CORS.
        .method_not_allowed_fallback(unknown::other_method)
        .layer(DefaultBodyLimit::max(FORM_MAX_BYTES))
        .layer(from_fn_with_state(server.clone(), limit))
        .layer(cross_origin::of_allowed_origins(&server.config))
        .layer(from_fn_with_state(
            server.clone(),
            cross_origin::refuse_other_origins,
        ))
        // Outside the limit, whose refusals are not to be kept either.
        .layer(set(header::CACHE_CONTROL, "no-store"));
    let private = Router::new()
        .route(
            "/v1/orders",
            post(crate::orders::create_order).get(orders::list::list_orders),
        )
        .route("/v1/orders/{order_no}", get(orders::list::get_order))
        .route(
            "/v1/orders/{order_no}/close",
            post(crate::orders::close_order),
        )
        .route(
            "/v1/orders/{order_no}/attempts",
            post(orders::attempts::start_attempt),
        )
        .route(
            "/v1/orders/{order_no}/refunds",
            post(refunds::create_refund).get(refunds::list_refunds),
        )
        .route("/v1/refunds/{refund_no}", get(refunds::get_refund))
        .route(
            "/v1/refunds/{refund_no}/apply-abnormal-refund",
            post(refunds::apply_abnormal_refund),
        )
        .route("/v1/bills/{day}", get(bills::compare_bill))
        .route("/v1/bills/{day}/file", get(bills::read_bill_file))
        .route("/v1/webhooks", get(webhooks::list_webhooks))
        .route("/v1/webhooks/resend", post(webhooks::resend_webhooks))
        .route("/v1/webhooks/{id}/resend", post(webhooks::resend_webhook))
        .route("/v1/mismatches", get(mismatches::list_mismatches))
        .route(
            "/v1/mismatches/{no}/done",
            post(mismatches::finish_mismatch),
        )
        .method_not_allowed_fallback(unknown::other_method)
        .layer(DefaultBodyLimit::max(ORDER_MAX_BYTES))
        .layer(from_fn_with_state(CallSource::Backend, name_source))
        .layer(set(header::CACHE_CONTROL, "no-store"));
    let wechat = Router::new()
        .route(NOTIFY_PATH, post(notifications::payment))
        .route(REFUND_NOTIFY_PATH, post(notifications::refund))
        .method_not_allowed_fallback(unknown::other_method)
        .layer(DefaultBodyLimit::max(NOTIFICATION_MAX_BYTES))
        .layer(from_fn_with_state(CallSource::Notification, name_source));
    let buyers_pages = Router::new()
        .route("/c/{token}", get(hosted_page::page))
        .route("/c/{token}/status", get(hosted_page::status))
        .route("/c/{token}/start", post(hosted_page::start))
        .route("/c/{token}/check", post(hosted_page::check))
        // Where WeChat sends a buyer: anybody can guess an address there.
        .route(crate::attempts::oauth::CALLBACK_PATH, get(crate::attempts::oauth::callback))
        .route(RECEIPT_PATH, get(receipt_page::page))
        .layer(from_fn_with_state(server.clone(), limit));
    let pages = buyers_pages
        .layer(from_fn(hosted_page::as_page))
        .route(receipt_page::SCRIPT_PATH, get(receipt_page::script))
        .route(hosted_page::STYLE_PATH, get(hosted_page::style))
        .route(hosted_page::SCRIPT_PATH, get(hosted_page::script))
        .route("/openapi.json", get(openapi::document))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::metrics))
        .route("/{file}", any(verification_file))
        .method_not_allowed_fallback(unknown::other_method)
        .layer(DefaultBodyLimit::max(FORM_MAX_BYTES));
    Router::new()
        .merge(public)
        .merge(private)
        .merge(wechat)
        .merge(pages)
        .merge(bundle(&server))
        .fallback(unknown::unknown)
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(from_fn_with_state(server.clone(), log))
        .with_state(server)
}

/// Names what causes the calls to WeChat that a request needs. Pages need no name: see
/// [`CallSource::Buyer`].
async fn name_source(State(source): State<CallSource>, request: Request, next: Next) -> Response {
    source.scope(next.run(request)).await
}

/// The element's files, for every page: they hold nothing secret, and the one whose origin is not
/// allowed learns that from the element.
fn bundle(server: &MerchantServer) -> Router<MerchantServer> {
    let Some(folder) = &server.config.bundle_dir else {
        return Router::new();
    };
    Router::new()
        .nest_service(
            "/dist",
            ServeDir::new(folder)
                .append_index_html_on_directories(false)
                .call_fallback_on_method_not_allowed(true)
                // Its own refusals are empty.
                .fallback(get(unknown::unknown).fallback(unknown::other_method)),
        )
        .layer(from_fn(only_file_names))
        // The names carry no version, so a browser asks whether its copy is still the one. What is
        // refused says for itself that it is not to be kept.
        .layer(SetResponseHeaderLayer::if_not_present(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        ))
        // A page that isolates itself (COEP) may load them, too.
        .layer(set(
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ))
        .layer(cross_origin::of_all())
}

/// The bundle's names are of plain letters. Others never reach the file system, which takes a NUL
/// or a long name for a failure of its own.
async fn only_file_names(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if path.len() <= 255 && path.bytes().all(is_plain) {
        next.run(request).await
    } else {
        unknown::unknown(request).await
    }
}

fn set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// `GET /healthz`: whether the process lives. A server that cannot write is not helped by being
/// begun again.
async fn health(State(server): State<MerchantServer>) -> Response {
    if server.ledger.is_readable().await {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer\n",
        )
            .into_response()
    }
}

/// `GET /readyz`: whether new calls should come here, which is: whether a write works.
async fn ready(State(server): State<MerchantServer>) -> Response {
    if server.is_ending() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the server is ending\n").into_response();
    }
    if server.wechat.trust.keys().is_empty() {
        let reason = "no platform certificate of WeChat's has come yet\n";
        return (StatusCode::SERVICE_UNAVAILABLE, reason).into_response();
    }
    if !server.can_write().await {
        let reason = "the database takes no writes\n";
        return (StatusCode::SERVICE_UNAVAILABLE, reason).into_response();
    }
    (StatusCode::OK, "ok\n").into_response()
}

/// `GET /MP_verify_….txt`. Any other name is as unknown as a longer address, by whatever method.
async fn verification_file(
    State(server): State<MerchantServer>,
    PathText(name): PathText,
    request: Request,
) -> Response {
    let files = &server.config.verification_files;
    let file = files.iter().find(|file| file.name == name);
    match (file, request.method()) {
        (None, _) => unknown::unknown(request).await,
        (Some(file), &Method::GET | &Method::HEAD) => file.text.clone().into_response(),
        (Some(_), _) => {
            let allow = [(header::ALLOW, "GET,HEAD")];
            (allow, unknown::other_method(request).await).into_response()
        }
    }
}
