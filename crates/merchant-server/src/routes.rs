//! All routes, and what each group of them allows.

mod bills;
mod checkout_codes;
mod checkouts;
mod embedded_files;
mod exports;
mod files;
mod health;
mod links;
mod mismatches;
mod notifications;
mod openapi;
mod orders;
mod pictures;
mod product_scans;
mod refunds;
mod sharing;
mod shipping;
mod unknown;
mod webhooks;
mod wxpay_server;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::header;
use merchant_api::FORM_MAX_BYTES;
use merchant_core::attempts::CALLBACK_PATH;
use merchant_core::config::{
    MERCHANT_NOTIFY_PATH, MERCHANT_REFUND_NOTIFY_PATH, NOTIFY_PATH, RECEIPT_PATH,
    REFUND_NOTIFY_PATH,
};
use merchant_core::wechat::CallSource;
use merchant_core::{Merchants, Payments};

use crate::metrics;
use crate::middleware::{always_set, cross_origin, in_time, limit, log};
use crate::pages::{desk, hosted_page, oauth_callback, payment_link, receipt_page, till};
use crate::server::MerchantServer;

/// Largest order that a backend may send, in bytes.
const ORDER_MAX_BYTES: usize = 64 * 1024;
/// Largest notification, in bytes: WeChat's are below 10 KB.
const NOTIFICATION_MAX_BYTES: usize = 256 * 1024;

/// The whole server as one service. `serve` adds the peer's address to each request.
pub fn app(server: MerchantServer) -> Router {
    let public = Router::new()
        .route("/v1/checkouts/{token}", get(checkouts::read_checkout))
        .route(
            "/v1/checkouts/{token}/code.svg",
            get(checkout_codes::svg),
        )
        .route(
            "/v1/checkouts/{token}/code.png",
            get(checkout_codes::png),
        )
        .route(
            "/v1/checkouts/{token}/attempts",
            post(checkouts::start_attempt),
        )
        .route(
            "/v1/checkouts/{token}/cancel",
            post(checkouts::cancel_attempt),
        )
        .layer(from_fn(in_time))
        // Before the layers: CORS answers the browser's preflight (OPTIONS).
        .method_not_allowed_fallback(unknown::other_method)
        .layer(DefaultBodyLimit::max(FORM_MAX_BYTES))
        .layer(from_fn_with_state(server.clone(), limit))
        .layer(cross_origin::of_allowed_origins(server.config()))
        .layer(from_fn_with_state(
            server.clone(),
            cross_origin::refuse_other_origins,
        ))
        // Outside the limit, because its refusals must not be cached either.
        .layer(always_set(header::CACHE_CONTROL, "no-store"));
    let wechat = Router::new()
        .route(NOTIFY_PATH, post(notifications::payment))
        .route(REFUND_NOTIFY_PATH, post(notifications::refund))
        .route(MERCHANT_NOTIFY_PATH, post(notifications::payment_of))
        .route(MERCHANT_REFUND_NOTIFY_PATH, post(notifications::refund_of))
        .route(product_scans::PATH, post(product_scans::answer))
        .route(
            product_scans::MERCHANT_PATH,
            post(product_scans::answer_merchant),
        )
        .layer(from_fn(in_time))
        .method_not_allowed_fallback(unknown::other_method)
        .layer(DefaultBodyLimit::max(NOTIFICATION_MAX_BYTES))
        .layer(from_fn_with_state(CallSource::Notification, name_source));
    let buyers_pages = Router::new()
        .route("/c/{token}", get(hosted_page::page))
        .route("/c/{token}/status", get(hosted_page::status))
        .route("/c/{token}/start", post(hosted_page::start))
        .route("/c/{token}/check", post(hosted_page::check))
        .route(
            payment_link::PATH,
            get(payment_link::page).post(payment_link::order),
        )
        // WeChat sends buyers here, and anyone can guess such an address.
        .route(CALLBACK_PATH, get(oauth_callback::callback))
        .route(RECEIPT_PATH, get(receipt_page::page))
        .layer(from_fn(in_time))
        .layer(from_fn_with_state(server.clone(), limit));
    let pages = buyers_pages
        .layer(from_fn(hosted_page::as_page))
        .route(receipt_page::SCRIPT_PATH, get(receipt_page::script))
        .route(hosted_page::STYLE_PATH, get(hosted_page::style))
        .route(hosted_page::SCRIPT_PATH, get(hosted_page::script))
        .merge(till::routes())
        .merge(desk_routes(server.merchants()))
        .route("/pictures/{name}", get(pictures::picture))
        .route("/openapi.json", get(openapi::document))
        .route("/healthz", get(health::health))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/{file}", any(files::verification_file))
        .method_not_allowed_fallback(unknown::other_method)
        .layer(DefaultBodyLimit::max(FORM_MAX_BYTES));
    Router::new()
        .merge(public)
        .merge(private_routes(server.merchants()))
        .merge(wechat)
        .merge(pages)
        .merge(files::bundle(server.config()))
        .fallback(unknown::unknown)
        .layer(always_set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(from_fn_with_state(server.clone(), log))
        .with_state(server)
}

/// The routes of the merchant's backend and of tills, each with an API key.
fn private_routes(merchants: &Merchants) -> Router<MerchantServer> {
    Router::new()
        .route(
            "/v1/orders",
            post(orders::create_order).get(orders::list_orders),
        )
        .route("/v1/orders/{order_no}", get(orders::get_order))
        .route("/v1/orders/{order_no}/close", post(orders::close_order))
        .route(
            "/v1/orders/{order_no}/attempts",
            post(orders::start_attempt),
        )
        .route(
            "/v1/orders/{order_no}/refunds",
            post(refunds::create_refund).get(refunds::list_refunds),
        )
        .route(
            "/v1/orders/{order_no}/shipping",
            post(shipping::create_shipping),
        )
        .route("/v1/receivers", post(sharing::add_receiver))
        .route("/v1/receivers/delete", post(sharing::delete_receiver))
        .route(
            "/v1/orders/{order_no}/shares",
            post(sharing::create_share).get(sharing::list_shares),
        )
        .route(
            "/v1/orders/{order_no}/unfreeze",
            post(sharing::unfreeze_order),
        )
        .route(
            "/v1/orders/{order_no}/frozen",
            get(sharing::get_frozen_money),
        )
        .route(
            "/v1/shares/{share_no}/returns",
            post(sharing::create_share_return),
        )
        .route("/v1/refunds/{refund_no}", get(refunds::get_refund))
        .route(
            "/v1/refunds/{refund_no}/apply-abnormal-refund",
            post(refunds::apply_abnormal_refund),
        )
        .route(
            "/v1/links",
            post(links::create_link).get(links::list_links),
        )
        .route("/v1/links/{id}", get(links::get_link))
        .route("/v1/links/{id}/disable", post(links::disable_link))
        .route("/v1/links/{id}/code.svg", get(links::code_svg))
        .route("/v1/links/{id}/code.pdf", get(links::code_pdf))
        .route("/v1/webhooks", get(webhooks::list_webhooks))
        .route("/v1/webhooks/resend", post(webhooks::resend_webhooks))
        .route("/v1/webhooks/{id}/resend", post(webhooks::resend_webhook))
        .route("/v1/mismatches", get(mismatches::list_mismatches))
        .route(
            "/v1/mismatches/{no}/done",
            post(mismatches::finish_mismatch),
        )
        .route(till::SETTINGS_PATH, get(till::settings))
        .merge(wxpay_server_routes(merchants))
        .layer(from_fn(in_time))
        // Bills and exports take as long as they are.
        .route("/v1/bills/{day}", get(bills::compare_bill))
        .route("/v1/bills/{day}/file", get(bills::read_bill_file))
        .route("/v1/exports/orders", get(exports::export_orders))
        .route("/v1/exports/payments", get(exports::export_payments))
        .route("/v1/exports/refunds", get(exports::export_refunds))
        .method_not_allowed_fallback(unknown::other_method)
        .layer(DefaultBodyLimit::max(ORDER_MAX_BYTES))
        .layer(from_fn_with_state(CallSource::Backend, name_source))
        .layer(always_set(header::CACHE_CONTROL, "no-store"))
}

/// The routes of the payment service; none where it is configured for no merchant.
fn wxpay_server_routes(merchants: &Merchants) -> Router<MerchantServer> {
    let has_it = |payments: &Payments| payments.config().wxpay_server.is_some();
    if !merchants.each().any(has_it) {
        return Router::new();
    }
    Router::new()
        .route("/v1/pay/params", post(wxpay_server::pay_params))
        .route("/v1/pay/unified", post(wxpay_server::unified))
        .route("/v1/pay/queryOrder", post(wxpay_server::query_order))
        .route("/v1/pay/closeOrder", post(wxpay_server::close_order))
}

/// The desk's pages, whose calls to WeChat are the merchant's own.
fn desk_routes(merchants: &Merchants) -> Router<MerchantServer> {
    desk::routes(merchants).layer(from_fn_with_state(CallSource::Backend, name_source))
}

/// Sets the source of the calls to WeChat that a request causes. Pages need none: see
/// [`CallSource::Buyer`].
async fn name_source(State(source): State<CallSource>, request: Request, next: Next) -> Response {
    source.scope(next.run(request)).await
}
