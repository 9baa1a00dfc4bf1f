//! The shop's routes. Every address in the pages is relative, so that the pages also work behind
//! the simulator's WeChat browser.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::Markup;
use merchant_api::CreateOrder;
use serde::Deserialize;

use crate::config::ShopConfig;
use crate::gallery;
use crate::goods::Item;
use crate::merchant::{MerchantClient, MerchantError};
use crate::order_number::{self, NoRandomness};
use crate::page::{self, PaymentPage};
use crate::purchase::{Purchase, Purchases};

/// The shop as a router, for the demo and for tests that run it in their own process.
///
/// # Errors
/// Fails only if the HTTP client cannot be set up (no TLS roots on this machine).
pub fn app(config: ShopConfig) -> Result<Router, reqwest::Error> {
    let gallery = gallery::routes(config.merchant_server.origin().ascii_serialization());
    let shop = Shop {
        merchant: MerchantClient::new(&config)?,
        policy: content_security_policy(&config),
        purchases: Purchases::default(),
        config: Arc::new(config),
    };
    Ok(Router::new()
        .route("/", get(catalogue))
        .route("/buy", post(buy))
        .route("/pay/{order_no}", get(payment))
        .route("/pay/{order_no}/state", get(payment_state))
        .route("/assets/{file}", get(asset))
        .fallback(page_not_found)
        .layer(from_fn_with_state(shop.clone(), secure_headers))
        .merge(gallery)
        .route("/healthz", get(|| async { "ok" }))
        .with_state(shop))
}

#[derive(Clone)]
struct Shop {
    config: Arc<ShopConfig>,
    merchant: MerchantClient,
    purchases: Purchases,
    policy: HeaderValue,
}

async fn catalogue() -> Markup {
    page::catalogue()
}

#[derive(Deserialize)]
struct BuyForm {
    item: String,
}

async fn buy(
    State(shop): State<Shop>,
    headers: HeaderMap,
    Form(form): Form<BuyForm>,
) -> Result<Redirect, ShopError> {
    let item = Item::find(&form.item).ok_or(ShopError::NoSuchItem)?;
    let order_no = order_number::order_no()?;
    let key = order_number::order_key()?;
    let forwarded_host = headers
        .get("x-forwarded-host")
        .and_then(|host| host.to_str().ok());
    let origin = shop.config.origin_for(forwarded_host);
    let here = format!("/pay/{order_no}?key={key}");
    let page_url = format!("{}{here}", origin.ascii_serialization());
    let created = shop
        .merchant
        .create(&CreateOrder {
            order_no: Some(order_no.clone()),
            total_fen: item.price_fen,
            description: item.name.to_owned(),
            payee: Some(page::SHOP_NAME.to_owned()),
            return_url: Some(page_url),
            // No success_url: the page shows the thanks itself, so leaving it is not needed.
            ..CreateOrder::default()
        })
        .await?;
    tracing::info!(order_no, total_fen = item.price_fen, "order created");
    shop.purchases.insert(Purchase {
        order_no,
        key,
        item,
        token: created.token,
        checkout_url: created.checkout_url,
        live: created.live,
    });
    Ok(Redirect::to(&here))
}

#[derive(Deserialize)]
struct OrderQuery {
    #[serde(default)]
    key: String,
}

async fn payment(
    State(shop): State<Shop>,
    Path(order_no): Path<String>,
    Query(query): Query<OrderQuery>,
) -> Result<Markup, ShopError> {
    let order = shop
        .purchases
        .find(&order_no, &query.key)
        .ok_or(ShopError::NoSuchOrder)?;
    // The page is shown even if the state is unknown, because the element polls by itself.
    let paid = shop
        .merchant
        .is_paid(&order.token)
        .await
        .unwrap_or_else(|error| {
            tracing::warn!(order_no, %error, "cannot read the order's state");
            false
        });
    Ok(page::payment(&PaymentPage {
        order: &order,
        paid,
        merchant_server: shop.config.merchant_server.as_str().trim_end_matches('/'),
    }))
}

/// Answers the page's request after the element's `paid` event: the merchant server decides, not
/// the browser.
async fn payment_state(
    State(shop): State<Shop>,
    Path(order_no): Path<String>,
    Query(query): Query<OrderQuery>,
) -> Result<Response, ShopError> {
    let order = shop
        .purchases
        .find(&order_no, &query.key)
        .ok_or(ShopError::NoSuchOrder)?;
    let paid = shop.merchant.is_paid(&order.token).await?;
    Ok(axum::Json(serde_json::json!({ "paid": paid })).into_response())
}

async fn asset(Path(file): Path<String>) -> Response {
    match page::asset(&file) {
        Some((content_type, body)) => {
            ([(header::CONTENT_TYPE, content_type)], body).into_response()
        }
        None => ShopError::NoSuchPage.into_response(),
    }
}

async fn page_not_found() -> ShopError {
    ShopError::NoSuchPage
}

/// Why a page cannot be shown. The buyer's text names no server and no code; the log does.
#[derive(Debug, thiserror::Error)]
enum ShopError {
    #[error("no such page")]
    NoSuchPage,
    #[error("no such item")]
    NoSuchItem,
    #[error("no such order, or a wrong key")]
    NoSuchOrder,
    #[error(transparent)]
    Merchant(#[from] MerchantError),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

impl IntoResponse for ShopError {
    fn into_response(self) -> Response {
        let (status, words) = match &self {
            Self::NoSuchPage => (StatusCode::NOT_FOUND, page::NO_SUCH_PAGE),
            Self::NoSuchItem => (StatusCode::UNPROCESSABLE_ENTITY, page::NO_SUCH_ITEM),
            Self::NoSuchOrder => (StatusCode::NOT_FOUND, page::NO_SUCH_ORDER),
            Self::Merchant(_) | Self::Randomness(_) => {
                tracing::error!(error = %self, "cannot create or read an order");
                (StatusCode::BAD_GATEWAY, page::CANNOT_SELL_NOW)
            }
        };
        (status, page::error_page(words)).into_response()
    }
}

/// Allows scripts from this shop and the merchant server only. `wasm-unsafe-eval` allows
/// WebAssembly and no `eval`.
fn content_security_policy(config: &ShopConfig) -> HeaderValue {
    let merchant = config.merchant_server.origin().ascii_serialization();
    let policy = format!(
        "default-src 'self'; script-src 'self' {merchant} 'wasm-unsafe-eval'; \
         connect-src 'self' {merchant}; style-src 'self'; img-src 'self' data:; \
         object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

async fn secure_headers(State(shop): State<Shop>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // `no-referrer` would break H5, because WeChat checks the Referer.
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in fixed {
        headers.insert::<HeaderName>(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, shop.policy);
    response
}
