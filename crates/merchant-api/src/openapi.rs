//! The contract as an OpenAPI 3.1 document. The functions below are never called: they carry the
//! annotations, and a golden file shows every change of the contract in review.

#![expect(
    dead_code,
    reason = "annotated signatures stand for the routes; a server implements them"
)]

mod absence;

use std::collections::BTreeMap;

use absence::NeverNull;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::ServerBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use crate::answer::CheckoutAnswerObject;
use crate::bill::BillComparison;
use crate::error::wire::ErrorEnvelope;
use crate::mismatch::{FinishMismatch, MismatchDetails, MismatchList};
use crate::order::{CreateOrder, CreatedOrder};
use crate::order_details::{OrderDetails, OrderList, WebhookDetails, WebhookList, WebhooksResent};
use crate::refund::{ApplyAbnormalRefund, CreateRefund, RefundDetails, RefundList};
use crate::started_attempt::{StartAttempt, StartedAttempt};
use crate::webhook::{
    OrderNews, PaymentMismatchNews, PaymentNews, RefundMismatchNews, RefundNews, WebhookEvent,
};

/// The OpenAPI document of the whole contract, with the messages to the backend as its webhooks.
pub fn document() -> impl Serialize {
    Document {
        contract: Contract::openapi(),
        webhooks: WebhookEvent::SCHEMAS
            .iter()
            .map(|(event_type, schema)| (*event_type, message(event_type, schema)))
            .collect(),
    }
}

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    contract: utoipa::openapi::OpenApi,
    webhooks: BTreeMap<&'static str, Value>,
}

/// A message as the backend gets it. The generator of the rest has no word for webhooks.
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
            header("webhook-id", "The same on every try: what is known already is dropped"),
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
                    "description": "When it was written down; a repeated message keeps it",
                },
            },
        } } } },
        "responses": { "2XX": { "description": "Taken. Anything else, and no answer, is tried again" } },
    } })
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Merchant API",
        version = "1",
        description = "What <wechat-pay> needs from a backend: two routes, a third optional. \
            The private routes are for the merchant's own backend, with an API key as Bearer. \
            An address that is not here is answered 404 ROUTE_UNKNOWN, and a method that is not \
            here 405 METHOD_NOT_ALLOWED with Allow, both in the envelope of every error. \
            Absent, null and wrong: a field or parameter that is not required may be left out, and \
            its description says what that means. A null is no way to leave it out: the private \
            routes refuse it as they refuse any wrong value, with INVALID_REQUEST (total_fen: \
            AMOUNT_INVALID) and the field's name, and nothing is done. An empty parameter is a \
            wrong one too. A text of the private routes must have a character that can be seen, and \
            none that is a control, breaks the line or turns the direction of writing round. In an answer and in a webhook a field without a value is left out and is \
            never null; the element reads a null from another backend as an absent field."
    ),
    paths(
        start_attempt, read_checkout, cancel_attempt, create_order, get_order, list_orders,
        close_order, start_order_attempt, create_refund, list_refunds, get_refund,
        apply_abnormal_refund, list_webhooks, resend_webhook, resend_webhooks,
        list_mismatches, finish_mismatch, compare_bill, read_bill_file
    ),
    components(schemas(
        OrderNews, PaymentNews, PaymentMismatchNews, RefundNews, RefundMismatchNews
    )),
    modifiers(&ApiKey, &Place, &NeverNull)
)]
struct Contract;

struct Place;

/// Where it is served, and that a route asks for no key where it does not say so: the buyer's page
/// has none, and a webhook is signed.
impl Modify for Place {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let server = ServerBuilder::new()
            .url("/v1")
            .description(Some(
                "Our merchant server; another backend has an address of its own",
            ))
            .build();
        document.servers = Some(vec![server]);
        document.security = Some(Vec::new());
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

/// The form of an attempt.
#[derive(ToSchema)]
struct AttemptFormObject {
    /// jsapi, h5, native or mini_program.
    product: crate::Product,
    /// The attempt number the page has seen.
    after: Option<u64>,
    /// Where the buyer comes back to.
    return_url: Option<String>,
    /// The one-use handle from the hop for the openid.
    payer: Option<String>,
    /// A mini-program's wx.login code, in place of payer.
    code: Option<String>,
}

/// The form of a cancellation.
#[derive(ToSchema)]
struct CancelFormObject {
    /// The attempt to end.
    after: u64,
}

/// Starts an attempt, or gives the current one again while its action is fresh.
#[utoipa::path(
    post, path = "/checkouts/{token}/attempts", tag = "checkout",
    params(("token" = String, Path, description = "The order's token: it is the authorisation")),
    request_body(content = AttemptFormObject, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The answer, with an action unless it is paid or closed", body = CheckoutAnswerObject<'static>),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 404, description = "CHECKOUT_UNKNOWN", body = ErrorEnvelope),
        (status = 409, description = "ATTEMPT_SUPERSEDED (with the answer's fields), PRODUCT_UNAVAILABLE, PAYER_UNAVAILABLE", body = ErrorEnvelope),
        (status = 410, description = "CHECKOUT_EXPIRED", body = ErrorEnvelope),
        (status = 413, description = "TOO_LARGE", body = ErrorEnvelope),
        (status = 422, description = "PAYER_INVALID, RETURN_URL_REFUSED", body = ErrorEnvelope),
        (status = 429, description = "RATE_LIMITED", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
        (status = 502, description = "WECHAT_REFUSED", body = ErrorEnvelope),
        (status = 503, description = "ATTEMPT_IN_DOUBT, WECHAT_UNAVAILABLE", body = ErrorEnvelope),
    )
)]
fn start_attempt() {}

/// Reads the checkout. With `wait` the answer may be held until the version is no longer `seen`.
#[utoipa::path(
    get, path = "/checkouts/{token}", tag = "checkout",
    params(
        ("token" = String, Path, description = "The order's token"),
        ("wait" = Option<u64>, Query, description = "Hold for at most this many seconds (25 at most); may be ignored"),
        ("seen" = Option<u64>, Query, description = "The version the page has"),
        ("ask" = Option<u64>, Query, description = "1: ask WeChat now, coalesced"),
    ),
    responses(
        (status = 200, description = "The answer; paid and closed are answers, never errors", body = CheckoutAnswerObject<'static>),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 403, description = "ORIGIN_NOT_ALLOWED: a browser's page of another origin than the shop's; every origin may read this answer", body = ErrorEnvelope),
        (status = 404, description = "CHECKOUT_UNKNOWN", body = ErrorEnvelope),
        (status = 429, description = "RATE_LIMITED", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn read_checkout() {}

/// Ends the attempt, never the order. Optional: a 404 here means "not offered".
#[utoipa::path(
    post, path = "/checkouts/{token}/cancel", tag = "checkout",
    params(("token" = String, Path, description = "The order's token")),
    request_body(content = CancelFormObject, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The answer", body = CheckoutAnswerObject<'static>),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 404, description = "CHECKOUT_UNKNOWN", body = ErrorEnvelope),
        (status = 409, description = "ATTEMPT_SUPERSEDED (with the answer's fields)", body = ErrorEnvelope),
        (status = 413, description = "TOO_LARGE", body = ErrorEnvelope),
        (status = 429, description = "RATE_LIMITED", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
        (status = 503, description = "ATTEMPT_IN_DOUBT", body = ErrorEnvelope),
    )
)]
fn cancel_attempt() {}

/// Creates an order (private side).
#[utoipa::path(
    post, path = "/orders", tag = "orders",
    security(("api_key" = [])),
    request_body(content = CreateOrder),
    responses(
        (status = 201, description = "Created", body = CreatedOrder),
        (status = 200, description = "The very same was there already", body = CreatedOrder),
        (status = 400, description = "INVALID_REQUEST, AMOUNT_INVALID, DESCRIPTION_INVALID, ORDER_NO_INVALID", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 409, description = "ORDER_NO_USED: the number is in use with other values", body = ErrorEnvelope),
        (status = 413, description = "TOO_LARGE", body = ErrorEnvelope),
        (status = 422, description = "RETURN_URL_REFUSED", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn create_order() {}

/// Closes an order at WeChat and for good (private side). Only here can an order be closed.
#[utoipa::path(
    post, path = "/orders/{order_no}/close", tag = "orders",
    security(("api_key" = [])),
    params(("order_no" = String, Path, description = "The merchant's own number")),
    responses(
        (status = 200, description = "Closed, now or before", body = CheckoutAnswerObject<'static>),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 404, description = "ORDER_UNKNOWN", body = ErrorEnvelope),
        (status = 409, description = "ORDER_PAID: it was paid first", body = ErrorEnvelope),
        (status = 429, description = "RATE_LIMITED: too many calls about this order wait for each other", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
        (status = 503, description = "ATTEMPT_IN_DOUBT: it is closed as soon as WeChat can be asked", body = ErrorEnvelope),
    )
)]
fn close_order() {}

/// Starts an attempt for an app, a mini-program, a till or a page of the backend's own, or gives the
/// current one again (private side).
///
/// `code_pay` is taken at once or waits for the buyer's password; the server asks WeChat until it
/// knows, and takes the payment back after half a minute.
#[utoipa::path(
    post, path = "/orders/{order_no}/attempts", tag = "orders",
    security(("api_key" = [])),
    params(("order_no" = String, Path, description = "The merchant's own number")),
    request_body(content = StartAttempt),
    responses(
        (status = 200, description = "The order, with what to do next unless it is paid or closed", body = StartedAttempt),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 404, description = "ORDER_UNKNOWN", body = ErrorEnvelope),
        (status = 409, description = "ATTEMPT_SUPERSEDED (with the fields of the checkout's answer), PRODUCT_UNAVAILABLE, PAYER_UNAVAILABLE", body = ErrorEnvelope),
        (status = 410, description = "CHECKOUT_EXPIRED", body = ErrorEnvelope),
        (status = 413, description = "TOO_LARGE", body = ErrorEnvelope),
        (status = 422, description = "PAYER_INVALID, RETURN_URL_REFUSED", body = ErrorEnvelope),
        (status = 429, description = "RATE_LIMITED: too many calls about this order wait for each other", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
        (status = 502, description = "WECHAT_REFUSED: wechat_code says why, AUTHCODEEXPIRE and the like", body = ErrorEnvelope),
        (status = 503, description = "ATTEMPT_IN_DOUBT, WECHAT_UNAVAILABLE", body = ErrorEnvelope),
    )
)]
fn start_order_attempt() {}

/// Reads an order with its attempts (private side).
#[utoipa::path(
    get, path = "/orders/{order_no}", tag = "orders",
    security(("api_key" = [])),
    params(("order_no" = String, Path, description = "The merchant's own number")),
    responses(
        (status = 200, description = "The order", body = OrderDetails),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 404, description = "ORDER_UNKNOWN", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn get_order() {}

/// Lists orders, newest first (private side). An unknown parameter is refused.
#[utoipa::path(
    get, path = "/orders", tag = "orders",
    security(("api_key" = [])),
    params(
        ("state" = Option<String>, Query, description = "open, paid or closed"),
        ("created_from" = Option<String>, Query, description = "Made at or after this time (RFC 3339)"),
        ("created_to" = Option<String>, Query, description = "Made before this time (RFC 3339)"),
        ("order_no_prefix" = Option<String>, Query, description = "How order_no begins"),
        ("sub_mchid" = Option<String>, Query, description = "Partner mode: whom it is for"),
        ("limit" = Option<u32>, Query, description = "1 to 200; 50 when absent"),
        ("before" = Option<String>, Query, description = "The next_before of the page before"),
    ),
    responses(
        (status = 200, description = "A page of orders", body = OrderList),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn list_orders() {}

/// Gives money back, in part or whole (private side). The same number with the same values is the
/// same refund, however often it is sent; one that WeChat refused is tried once more.
#[utoipa::path(
    post, path = "/orders/{order_no}/refunds", tag = "refunds",
    security(("api_key" = [])),
    params(("order_no" = String, Path, description = "The merchant's own number")),
    request_body(content = CreateRefund),
    responses(
        (status = 201, description = "Taken down. requested: WeChat has not said yet that it took it, and the server goes on by itself; processing: WeChat took it", body = RefundDetails),
        (status = 200, description = "The very same was there already", body = RefundDetails),
        (status = 400, description = "INVALID_REQUEST, AMOUNT_INVALID", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 404, description = "ORDER_UNKNOWN", body = ErrorEnvelope),
        (status = 409, description = "ORDER_NOT_PAID, REFUND_NO_USED, REFUND_TOO_MUCH, REFUND_TOO_MANY", body = ErrorEnvelope),
        (status = 413, description = "TOO_LARGE", body = ErrorEnvelope),
        (status = 429, description = "RATE_LIMITED: too many calls about this order wait for each other", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
        (status = 502, description = "WECHAT_REFUSED: nothing went back; wechat_code says why", body = ErrorEnvelope),
    )
)]
fn create_refund() {}

/// Lists the refunds of an order, oldest first, whoever wanted them (private side).
#[utoipa::path(
    get, path = "/orders/{order_no}/refunds", tag = "refunds",
    security(("api_key" = [])),
    params(("order_no" = String, Path, description = "The merchant's own number")),
    responses(
        (status = 200, description = "The refunds", body = RefundList),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 404, description = "ORDER_UNKNOWN", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn list_refunds() {}

/// Reads a refund (private side).
#[utoipa::path(
    get, path = "/refunds/{refund_no}", tag = "refunds",
    security(("api_key" = [])),
    params(("refund_no" = String, Path, description = "The refund's number")),
    responses(
        (status = 200, description = "The refund", body = RefundDetails),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 404, description = "REFUND_UNKNOWN", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn get_refund() {}

/// Sends an abnormal refund another way, for the buyer's account does not take it (private side).
#[utoipa::path(
    post, path = "/refunds/{refund_no}/apply-abnormal-refund", tag = "refunds",
    security(("api_key" = [])),
    params(("refund_no" = String, Path, description = "The refund's number")),
    request_body(content = ApplyAbnormalRefund),
    responses(
        (status = 200, description = "It is under way again", body = RefundDetails),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 404, description = "REFUND_UNKNOWN", body = ErrorEnvelope),
        (status = 409, description = "REFUND_NOT_ABNORMAL", body = ErrorEnvelope),
        (status = 413, description = "TOO_LARGE", body = ErrorEnvelope),
        (status = 429, description = "RATE_LIMITED: too many calls about this order wait for each other", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
        (status = 502, description = "WECHAT_REFUSED", body = ErrorEnvelope),
        (status = 503, description = "REFUND_IN_DOUBT: WeChat is asked; read the refund, and send it again if it is still abnormal", body = ErrorEnvelope),
    )
)]
fn apply_abnormal_refund() {}

/// Lists the messages to the backend, newest first (private side). An unknown parameter is refused.
#[utoipa::path(
    get, path = "/webhooks", tag = "webhooks",
    security(("api_key" = [])),
    params(
        ("state" = Option<String>, Query, description = "pending, delivered, failed or unaddressed"),
        ("type" = Option<String>, Query, description = "payment.succeeded and the like"),
        ("limit" = Option<u32>, Query, description = "1 to 200; 50 when absent"),
        ("before" = Option<String>, Query, description = "The next_before of the page before"),
    ),
    responses(
        (status = 200, description = "A page of messages", body = WebhookList),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn list_webhooks() {}

/// Sends all messages of a state again, each under its id, to the targets that have not taken them
/// (private side).
#[utoipa::path(
    post, path = "/webhooks/resend", tag = "webhooks",
    security(("api_key" = [])),
    params(
        ("state" = String, Query, description = "failed or unaddressed"),
        ("type" = Option<String>, Query, description = "payment.succeeded and the like; all types when absent"),
    ),
    responses(
        (status = 200, description = "They will be sent at once", body = WebhooksResent),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn resend_webhooks() {}

/// Lists payments and refunds that WeChat vouches for and that fit nothing here, newest first
/// (private side). An unknown parameter is refused.
#[utoipa::path(
    get, path = "/mismatches", tag = "mismatches",
    security(("api_key" = [])),
    params(
        ("state" = Option<String>, Query, description = "open or done"),
        ("limit" = Option<u32>, Query, description = "1 to 200; 50 when absent"),
        ("before" = Option<u64>, Query, description = "The next_before of the page before"),
    ),
    responses(
        (status = 200, description = "A page of them", body = MismatchList),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks orders:read", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn list_mismatches() {}

/// Marks a mismatch as seen to: it is no alarm any more (private side). Harmless to repeat.
#[utoipa::path(
    post, path = "/mismatches/{no}/done", tag = "mismatches",
    security(("api_key" = [])),
    params(("no" = u64, Path, description = "The mismatch's number")),
    request_body(content = FinishMismatch),
    responses(
        (status = 200, description = "It is done, now or before", body = MismatchDetails),
        (status = 400, description = "INVALID_REQUEST", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks orders:write", body = ErrorEnvelope),
        (status = 404, description = "MISMATCH_UNKNOWN", body = ErrorEnvelope),
        (status = 413, description = "TOO_LARGE", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn finish_mismatch() {}

/// Sends a message again, under the same id (private side).
#[utoipa::path(
    post, path = "/webhooks/{id}/resend", tag = "webhooks",
    security(("api_key" = [])),
    params(("id" = String, Path, description = "The message's webhook-id")),
    responses(
        (status = 200, description = "It will be sent at once", body = WebhookDetails),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks the scope", body = ErrorEnvelope),
        (status = 404, description = "WEBHOOK_UNKNOWN", body = ErrorEnvelope),
        (status = 500, description = "INTERNAL", body = ErrorEnvelope),
    )
)]
fn resend_webhook() {}

/// Downloads WeChat's trade bill of a day and compares it with the ledger. A day's bill is ready
/// at about ten o'clock of the next day in Asia/Shanghai, and is kept for three months. An unknown
/// parameter is refused.
#[utoipa::path(
    get, path = "/bills/{day}", tag = "private",
    params(
        ("day" = String, Path, description = "The day in Asia/Shanghai, 2026-11-21"),
        ("sub_mchid" = Option<String>, Query, description = "Partner mode: one sub-merchant's bill; absent: that of all"),
    ),
    responses(
        (status = 200, description = "Both sides, and each difference; a line of the bill that cannot be read is one", body = BillComparison),
        (status = 400, description = "INVALID_REQUEST: the day, or a sub_mchid that is none of ours", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks bills", body = ErrorEnvelope),
        (status = 502, description = "WECHAT_REFUSED: wechat_code says why; BILL_UNREADABLE: the bill as WeChat has it cannot be read, now or later", body = ErrorEnvelope),
        (status = 503, description = "WECHAT_UNAVAILABLE; with wechat_code STATEMENT_CREATING the bill is not ready yet", body = ErrorEnvelope)
    ),
    security(("api_key" = []))
)]
fn compare_bill() {}

/// Fetches WeChat's bill of a day as WeChat has it, once it has the hash that WeChat signed: the trade
/// bill, or an account's flow of funds. An unknown parameter is refused.
#[utoipa::path(
    get, path = "/bills/{day}/file", tag = "private",
    params(
        ("day" = String, Path, description = "The day in Asia/Shanghai, 2026-11-21"),
        ("fund_flow" = Option<String>, Query, description = "basic, operation or fees: the flow of funds of that account; absent: the trade bill"),
        ("sub_mchid" = Option<String>, Query, description = "Partner mode: one sub-merchant's bill; absent: the trade bill of all, or the provider's own flow of funds"),
    ),
    responses(
        (status = 200, description = "The bill, UTF-8 with a byte order mark, under a name in Content-Disposition", body = String, content_type = "text/csv"),
        (status = 204, description = "Nothing happened on that day: WeChat has no bill"),
        (status = 400, description = "INVALID_REQUEST: the day, the account, or a sub_mchid that is none of ours", body = ErrorEnvelope),
        (status = 401, description = "UNAUTHORIZED", body = ErrorEnvelope),
        (status = 403, description = "FORBIDDEN: the key lacks bills", body = ErrorEnvelope),
        (status = 502, description = "WECHAT_REFUSED: wechat_code says why; BILL_UNREADABLE: the bill as WeChat has it cannot be read, now or later", body = ErrorEnvelope),
        (status = 503, description = "WECHAT_UNAVAILABLE, a file without the announced hash among it; with wechat_code STATEMENT_CREATING the bill is not ready yet", body = ErrorEnvelope)
    ),
    security(("api_key" = []))
)]
fn read_bill_file() {}
