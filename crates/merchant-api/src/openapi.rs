//! The contract as an OpenAPI 3.1 document, made from the table of routes. A golden file shows
//! every change of the contract in review.

mod absence;
mod operation;

use std::collections::BTreeMap;

use absence::NeverNull;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{RefOr, Schema, ServerBuilder};
use utoipa::{Modify, OpenApi};

use crate::routes::ROUTES;
use crate::webhook::{
    OrderData, PaymentData, PaymentMismatchData, RefundData, RefundMismatchData, ShareData,
    WebhookEvent, WechatEventData,
};

/// The OpenAPI document of the whole contract, with the messages to the backend as its webhooks.
pub fn document() -> impl Serialize {
    Document {
        contract: Contract::openapi(),
        webhooks: WebhookEvent::schemas()
            .into_iter()
            .map(|(event_type, schema)| (event_type, message(event_type, &schema)))
            .collect(),
    }
}

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    contract: utoipa::openapi::OpenApi,
    webhooks: BTreeMap<&'static str, Value>,
}

/// A message as the backend receives it. utoipa describes no webhooks.
fn message(event_type: &str, schema: &str) -> Value {
    let header = |name: &str, description: &str| {
        json!({
            "name": name, "in": "header", "required": true, "description": description,
            "schema": { "type": "string" },
        })
    };
    json!({ "post": {
        "tags": ["messages"],
        "summary": WebhookEvent::meaning(event_type),
        "operationId": event_type.replace('.', "_"),
        "parameters": [
            header("webhook-id", "The same on every try; ignore a message whose id you already know"),
            header("webhook-timestamp", "The time of this try, in seconds since 1970"),
            header("webhook-signature", "v1, and the base64 of HMAC-SHA256 over id, time and body, joined by dots"),
        ],
        "requestBody": { "required": true, "content": { "application/json": { "schema": {
            "type": "object",
            "required": ["type", "data", "timestamp"],
            "properties": {
                "type": { "type": "string", "const": event_type },
                "data": { "$ref": format!("#/components/schemas/{schema}") },
                "timestamp": {
                    "type": "string", "format": "date-time",
                    "description": "When the message was recorded; a repeated message keeps it",
                },
            },
        } } } },
        "responses": { "2XX": { "description": "Accepted. With any other status or without an answer, the message is sent again" } },
    } })
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Merchant API",
        version = "1",
        description = "What <wechat-pay> needs from a backend: two routes, a third optional. \
            The private routes are for the merchant's own backend, with an API key as Bearer. \
            An unknown path is answered with 404 ROUTE_UNKNOWN, and an unsupported method with 405 \
            METHOD_NOT_ALLOWED and Allow, both in the error envelope. \
            Absent, null and wrong: a field or parameter that is not required may be absent, and \
            its description says what that means. Null does not mean absent: the private routes \
            refuse it like any wrong value, with INVALID_REQUEST (total_fen: AMOUNT_INVALID) and \
            the field's name, and do nothing. An empty parameter is wrong too. A text of the \
            private routes must have a visible character, and no control character, line break or \
            character that changes the direction of writing. In an answer and in a webhook a field \
            without a value is absent and never null; the element reads a null from another \
            backend as an absent field."
    ),
    components(schemas(
        OrderData, PaymentData, PaymentMismatchData, RefundData, RefundMismatchData, ShareData,
        WechatEventData
    )),
    modifiers(&Routes, &ApiKey, &Base, &LinkAsGiven, &NeverNull)
)]
struct Contract;

struct Routes;

/// The routes of the table, with the schemas of their requests and answers.
impl Modify for Routes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut schemas = Vec::new();
        for route in ROUTES {
            let operation = operation::of_route(route, &mut schemas);
            let method = operation::method_of(route);
            document
                .paths
                .add_path_operation(route.path, vec![method], operation);
        }
        let components = document.components.get_or_insert_default();
        components.schemas.extend(schemas);
    }
}

struct Base;

/// The address of the API, and the rule that a route needs no key unless it says so: the buyer's
/// page has no key, and a webhook is signed.
impl Modify for Base {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let server = ServerBuilder::new()
            .url("/v1")
            .description(Some(
                "Our merchant server; another backend has its own address",
            ))
            .build();
        document.servers = Some(vec![server]);
        document.security = Some(Vec::new());
    }
}

struct LinkAsGiven;

/// A link has the fields of its form and its own. The form's schema forbids all others, so the link has a
/// copy of it that does not.
impl Modify for LinkAsGiven {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let Some(RefOr::T(Schema::Object(form))) = components.schemas.get("CreateLink") else {
            return;
        };
        let mut given = form.clone();
        given.additional_properties = None;
        given.description = None;
        if let Some(RefOr::T(Schema::AllOf(link))) = components.schemas.get_mut("LinkDetails") {
            for part in &mut link.items {
                if matches!(part, RefOr::Ref(_)) {
                    *part = RefOr::T(Schema::Object(given.clone()));
                }
            }
        }
    }
}

struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("api_key", SecurityScheme::Http(scheme));
    }
}
