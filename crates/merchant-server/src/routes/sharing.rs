//! Profit sharing (分账) for the merchant's backend: receivers, shares, releases and returns.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use merchant_api::{
    AddReceiver, CreateShare, CreateShareReturn, DeleteReceiver, FrozenMoney, ReceiverDetails,
    ShareList, UnfreezeOrder,
};
use merchant_core::config::Scope;
use merchant_core::orders::sharing;

use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, read_body};

/// `POST /v1/receivers`
pub(crate) async fn add_receiver(
    backend: Backend,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ReceiverDetails>, Failure> {
    let payments = backend.may(Scope::Sharing)?;
    let request: AddReceiver = json_body::read(&read_body(body)?, "a receiver")?;
    Ok(Json(sharing::add_receiver(payments, request).await?))
}

/// `POST /v1/receivers/delete`
pub(crate) async fn delete_receiver(
    backend: Backend,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<ReceiverDetails>, Failure> {
    let payments = backend.may(Scope::Sharing)?;
    let request: DeleteReceiver = json_body::read(&read_body(body)?, "a receiver")?;
    Ok(Json(sharing::delete_receiver(payments, request).await?))
}

/// `POST /v1/orders/{order_no}/shares`
pub(crate) async fn create_share(
    backend: Backend,
    PathText(order_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = backend.may(Scope::Sharing)?;
    let request: CreateShare = json_body::read(&read_body(body)?, "a share")?;
    let created = sharing::create(payments, &order_no, &request).await?;
    Ok(answer(created))
}

/// `GET /v1/orders/{order_no}/shares`
pub(crate) async fn list_shares(
    backend: Backend,
    PathText(order_no): PathText,
) -> Result<Json<ShareList>, Failure> {
    let payments = backend.may(Scope::Sharing)?;
    Ok(Json(sharing::list(payments, &order_no).await?))
}

/// `POST /v1/shares/{share_no}/returns`
pub(crate) async fn create_share_return(
    backend: Backend,
    PathText(share_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = backend.may(Scope::Sharing)?;
    let request: CreateShareReturn = json_body::read(&read_body(body)?, "a return")?;
    let created = sharing::give_back(payments, &share_no, &request).await?;
    Ok(answer(created))
}

/// `POST /v1/orders/{order_no}/unfreeze`
pub(crate) async fn unfreeze_order(
    backend: Backend,
    PathText(order_no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = backend.may(Scope::Sharing)?;
    let request: UnfreezeOrder = json_body::read(&read_body(body)?, "a release")?;
    let created = sharing::unfreeze(payments, &order_no, &request).await?;
    Ok(answer(created))
}

/// `GET /v1/orders/{order_no}/frozen`
pub(crate) async fn get_frozen_money(
    backend: Backend,
    PathText(order_no): PathText,
) -> Result<Json<FrozenMoney>, Failure> {
    let payments = backend.may(Scope::Sharing)?;
    Ok(Json(sharing::frozen(payments, &order_no).await?))
}

fn answer(created: sharing::ShareCreated) -> Response {
    let status = if created.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    (status, Json(created.details)).into_response()
}
