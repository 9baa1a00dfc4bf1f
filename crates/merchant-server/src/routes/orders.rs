//! `/v1/orders`: the merchant's own backend creates, reads and closes orders, and starts attempts
//! without a page.

mod list;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
pub(crate) use list::{list_orders, read_sub_mchid, read_time};
use merchant_api::{
    AttemptProduct, CheckoutAnswer, CreateOrder, ErrorCode, OrderDetails, StartAttempt,
    StartedAttempt,
};
use merchant_core::attempts;
use merchant_core::config::Scope;
use merchant_core::orders::{self, Payers, TOTAL_MAX_FEN};
use serde_json::Value;

use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, read_body};

/// `POST /v1/orders`
pub(crate) async fn create_order(
    backend: Backend,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = backend.may_as_till_or(Scope::OrdersWrite)?;
    let body = read_body(body)?;
    let request = read_order(&body)?;
    let (created, is_new) = orders::create(payments, &request).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(created)).into_response())
}

/// `GET /v1/orders/{order_no}`
pub(crate) async fn get_order(
    backend: Backend,
    PathText(order_no): PathText,
) -> Result<Json<OrderDetails>, Failure> {
    let payments = backend.may_as_till_or(Scope::OrdersRead)?;
    let payers = match backend.may(Scope::PayersRead) {
        Ok(_) => Payers::Shown,
        Err(_) => Payers::Hidden,
    };
    Ok(Json(orders::show(payments, &order_no, payers).await?))
}

/// `POST /v1/orders/{order_no}/close`
pub(crate) async fn close_order(
    backend: Backend,
    PathText(order_no): PathText,
) -> Result<Json<CheckoutAnswer>, Failure> {
    let payments = backend.may_as_till_or(Scope::OrdersWrite)?;
    Ok(Json(orders::close(payments, &order_no).await?))
}

/// `POST /v1/orders/{order_no}/attempts`: a till's key starts attempts of one product alone.
pub(crate) async fn start_attempt(
    backend: Backend,
    PathText(order_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<StartedAttempt>, Failure> {
    let payments = backend.may_as_till_or(Scope::OrdersWrite)?;
    let request: StartAttempt = json_body::read(&read_body(body)?, "an attempt")?;
    if request.product != AttemptProduct::CodePay {
        backend.may(Scope::OrdersWrite)?;
    }
    let started = attempts::start_by_backend(payments, &order_no, request).await?;
    Ok(Json(started))
}

/// Reads the body. The amount is checked first, because its refusal has its own code whatever else
/// is wrong.
fn read_order(body: &[u8]) -> Result<CreateOrder, Failure> {
    let json: Value = serde_json::from_slice(json_body::without_byte_order_mark(body))
        .map_err(|_| Failure::new(ErrorCode::InvalidRequest, "the body is not JSON"))?;
    let total = json.get("total_fen").and_then(Value::as_u64);
    if !total.is_some_and(|total| (1..=TOTAL_MAX_FEN).contains(&total)) {
        return Err(Failure::field(
            ErrorCode::AmountInvalid,
            "total_fen",
            "must be a whole number of fen from 1 to 1000000000, as a JSON number without decimals",
        ));
    }
    // Parse the bytes and not the value above, so that a duplicate field is refused.
    json_body::read(body, "an order")
}
