//! `/v1/orders/{order_no}/shipping`: what was sent to the buyer of a mini-program.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use merchant_api::CreateShipping;
use merchant_core::config::Scope;
use merchant_core::orders::shipping;

use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, read_body};

/// `POST /v1/orders/{order_no}/shipping`
pub(crate) async fn create_shipping(
    backend: Backend,
    PathText(order_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = backend.may(Scope::OrdersWrite)?;
    let request: CreateShipping = json_body::read(&read_body(body)?, "a shipping")?;
    let created = shipping::create(payments, &order_no, &request).await?;
    let status = if created.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(created.details)).into_response())
}
