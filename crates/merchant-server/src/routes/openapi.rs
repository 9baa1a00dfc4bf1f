//! `GET /openapi.json`: the contract as this server serves it. The document itself is made where
//! the types are, in merchant-api.

use axum::Json;
use serde_json::Value;

/// The document. It says that its paths begin at `/v1`, as they do here.
pub(crate) async fn document() -> Json<Value> {
    // A document of texts: there is nothing in it that JSON cannot carry.
    Json(serde_json::to_value(merchant_api::openapi_document()).unwrap_or_default())
}
