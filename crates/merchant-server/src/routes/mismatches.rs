//! `/v1/mismatches`: payments and refunds that WeChat reports and that match no order, for the
//! merchant's backend. These routes never move money: a person does, and then marks the mismatch as
//! done.

use axum::Json;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::rejection::BytesRejection;
use merchant_api::{FinishMismatch, MismatchDetails, MismatchList};
use merchant_core::config::Scope;
use merchant_core::mismatches;

use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, query, read_body};

/// `GET /v1/mismatches?state&limit&before`
pub(crate) async fn list_mismatches(
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<MismatchList>, Failure> {
    let payments = backend.may(Scope::OrdersRead)?;
    let (mut is_done, mut before) = (None, None);
    let mut limit = query::LIMIT_DEFAULT;
    for (name, value) in query::parameters(&query.unwrap_or_default())? {
        match &*name {
            "state" => {
                is_done = match &*value {
                    "open" => Some(false),
                    "done" => Some(true),
                    _ => return Err(Failure::invalid("state", "must be open or done")),
                }
            }
            "limit" => limit = query::limit(&value)?,
            "before" => {
                let no = number(&value);
                before = Some(no.ok_or_else(|| Failure::invalid("before", "must be a number"))?);
            }
            _ => return Err(Failure::invalid(&name, "is not a parameter of this list")),
        }
    }
    let list = mismatches::list(payments, is_done, before, limit).await?;
    Ok(Json(list))
}

/// `POST /v1/mismatches/{no}/done`
pub(crate) async fn finish_mismatch(
    backend: Backend,
    PathText(no): PathText,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<MismatchDetails>, Failure> {
    let payments = backend.may(Scope::OrdersWrite)?;
    let body = read_body(body)?;
    // A note is optional: an empty body has none.
    let FinishMismatch { note } = if body.is_empty() {
        FinishMismatch::default()
    } else {
        json_body::read(&body, "a mismatch that is done")?
    };
    let done = mismatches::finish(payments, number(&no), note.as_deref()).await?;
    Ok(Json(done))
}

fn number(text: &str) -> Option<i64> {
    text.parse().ok().filter(|no| *no > 0)
}
