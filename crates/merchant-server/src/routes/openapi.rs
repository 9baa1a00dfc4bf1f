//! `GET /openapi.json`: the contract as this server serves it. merchant-api, which has the types,
//! makes the document.

use axum::Json;
use serde_json::Value;

/// The document, with `/v1` as the base of its paths.
pub(crate) async fn document() -> Json<Value> {
    // The document holds only texts, so it can always be written as JSON.
    Json(serde_json::to_value(merchant_api::openapi_document()).unwrap_or_default())
}
