//! `GET /openapi.json`: the contract as this server serves it. The document itself is made where
//! the types are, in merchant-api.

use axum::Json;
use serde_json::Value;

/// The document, with `/v1` as the base of its paths.
pub(crate) async fn document() -> Json<Value> {
    // The document has only texts, so it is always valid JSON.
    Json(serde_json::to_value(merchant_api::openapi_document()).unwrap_or_default())
}
