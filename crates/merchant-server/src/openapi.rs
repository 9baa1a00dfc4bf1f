//! `GET /openapi.json`: the contract as this server serves it. The document itself is made where
//! the types are, in merchant-api.

use axum::Json;
use serde_json::{Value, json};

/// The document, with the address that its paths begin at.
pub(crate) async fn document() -> Json<Value> {
    // A document of texts: there is nothing in it that JSON cannot carry.
    let mut document = serde_json::to_value(merchant_api::openapi_document()).unwrap_or_default();
    document["servers"] = json!([{ "url": "/v1" }]);
    Json(document)
}
