//! `/v1/refunds` and an order's refunds, for the merchant's backend.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use merchant_api::{ApplyAbnormalRefund, CreateRefund, RefundDetails, RefundList};
use merchant_core::config::Scope;
use merchant_core::refunds;

use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, read_body};

/// `POST /v1/orders/{order_no}/refunds`
pub(crate) async fn create_refund(
    backend: Backend,
    PathText(order_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = backend.may(Scope::RefundsWrite)?;
    let request: CreateRefund = json_body::read(&read_body(body)?, "a refund")?;
    let created = refunds::create(payments, &order_no, &request).await?;
    let status = if created.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(created.details)).into_response())
}

/// `GET /v1/refunds/{refund_no}`
pub(crate) async fn get_refund(
    backend: Backend,
    PathText(refund_no): PathText,
) -> Result<Json<RefundDetails>, Failure> {
    let payments = backend.may(Scope::RefundsRead)?;
    Ok(Json(refunds::show(payments, &refund_no).await?))
}

/// `GET /v1/orders/{order_no}/refunds`
pub(crate) async fn list_refunds(
    backend: Backend,
    PathText(order_no): PathText,
) -> Result<Json<RefundList>, Failure> {
    let payments = backend.may(Scope::RefundsRead)?;
    Ok(Json(refunds::list(payments, &order_no).await?))
}

/// `POST /v1/refunds/{refund_no}/apply-abnormal-refund`
pub(crate) async fn apply_abnormal_refund(
    backend: Backend,
    PathText(refund_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<RefundDetails>, Failure> {
    let payments = backend.may(Scope::RefundsWrite)?;
    let request: ApplyAbnormalRefund = json_body::read(&read_body(body)?, "an abnormal refund")?;
    let refund = refunds::apply_abnormal(payments, &refund_no, request).await?;
    Ok(Json(refund))
}
