//! Telling the merchant's backend, after the Standard Webhooks scheme: an id that stays the same
//! on every try, the time of the try, and an HMAC over id, time and body. At least once, never in
//! a promised order; the receiver drops an id that it knows.
//!
//! Only the targets of the configuration are called, and no redirect is followed. Nothing here
//! holds up WeChat: what is sent was committed before, and is sent on a lane of its own.

use aws_lc_rs::hmac;
use axum::Json;
use axum::extract::{RawQuery, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use merchant_api::{ErrorCode, WebhookDetails, WebhookEvent, WebhookList, WebhooksResent};

use crate::api_key::Backend;
use crate::config::{Scope, WebhookTarget};
use crate::error::Failure;
use crate::ledger::{Delivery, LedgerError, Webhook, WebhookFilter};
use crate::order_details::timestamp;
use crate::path_text::PathText;
use crate::query;
use crate::server::MerchantServer;
use crate::wechat_transport::TransportError;

/// The time between two tries, as the scheme recommends; after the last one a person is needed.
const PLAN_MS: [i64; 9] = [
    5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000,
    86_400_000,
];

/// `GET /v1/webhooks?state&type&limit&before`
pub(crate) async fn list_webhooks(
    State(server): State<MerchantServer>,
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<WebhookList>, Failure> {
    backend.may(Scope::Webhooks)?;
    let mut filter = WebhookFilter::default();
    let mut limit = query::LIMIT_DEFAULT;
    for (name, value) in query::parameters(&query.unwrap_or_default())? {
        match &*name {
            "state" => filter.state = Some(read_state(&value)?),
            "type" => filter.event_type = Some(read_type(&value)?),
            "limit" => limit = query::limit(&value)?,
            "before" => {
                let last_seen = server.ledger.webhook(&value).await?;
                let last_seen =
                    last_seen.ok_or_else(|| Failure::invalid("before", "names no message"))?;
                filter.before = Some((last_seen.created_ms, last_seen.id));
            }
            _ => return Err(Failure::invalid(&name, "is not a parameter of this list")),
        }
    }
    let mut webhooks = server.ledger.webhooks(&filter, limit + 1).await?;
    Ok(Json(WebhookList {
        next_before: query::cut(&mut webhooks, limit).map(|webhook| webhook.id.clone()),
        webhooks: webhooks.into_iter().map(details).collect(),
    }))
}

/// `POST /v1/webhooks/resend?state&type`: what was given up, or had no target, goes out again.
pub(crate) async fn resend_webhooks(
    State(server): State<MerchantServer>,
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<WebhooksResent>, Failure> {
    backend.may(Scope::Webhooks)?;
    let mut state = None;
    let mut event_type = None;
    for (name, value) in query::parameters(&query.unwrap_or_default())? {
        match &*name {
            "state" => state = Some(read_state(&value)?),
            "type" => event_type = Some(read_type(&value)?),
            _ => return Err(Failure::invalid(&name, "is not a parameter of this call")),
        }
    }
    let state = state
        .filter(|state| matches!(state, Delivery::Failed | Delivery::Unaddressed))
        .ok_or_else(|| Failure::invalid("state", "must be failed or unaddressed"))?;
    let now_ms = server.clock.now_ms();
    let resent = server
        .ledger
        .resend_all(state, event_type.as_deref(), now_ms)
        .await?;
    Ok(Json(WebhooksResent { resent }))
}

/// `POST /v1/webhooks/{id}/resend`
pub(crate) async fn resend_webhook(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(id): PathText,
) -> Result<Json<WebhookDetails>, Failure> {
    backend.may(Scope::Webhooks)?;
    find(&server, &id).await?;
    server.ledger.resend(&id, server.clock.now_ms()).await?;
    find(&server, &id).await.map(details).map(Json)
}

fn read_state(word: &str) -> Result<Delivery, Failure> {
    Delivery::from_word(word).ok_or_else(|| {
        Failure::invalid("state", "must be pending, delivered, failed or unaddressed")
    })
}

fn read_type(word: &str) -> Result<String, Failure> {
    if WebhookEvent::TYPES.contains(&word) {
        return Ok(word.to_owned());
    }
    let rule = format!("must be one of {}", WebhookEvent::TYPES.join(", "));
    Err(Failure::invalid("type", &rule))
}

async fn find(server: &MerchantServer, id: &str) -> Result<Webhook, Failure> {
    let webhook = server.ledger.webhook(id).await?;
    webhook.ok_or_else(|| Failure::new(ErrorCode::WebhookUnknown, "no message has this id"))
}

fn details(webhook: Webhook) -> WebhookDetails {
    WebhookDetails {
        id: webhook.id,
        event_type: webhook.event_type,
        created_at: timestamp(webhook.created_ms),
        state: webhook.state,
        tries: webhook.tries,
        last_outcome: webhook.last_outcome,
    }
}

/// Sends a message to every target that does not have it yet; gives the time of the next try,
/// where there is to be one. `tries` counts those before this one.
pub(crate) async fn deliver(
    server: &MerchantServer,
    id: &str,
    tries: u64,
) -> Result<Option<i64>, LedgerError> {
    let Some(webhook) = server.ledger.webhook(id).await? else {
        return Ok(None);
    };
    let targets = &server.config.webhooks;
    if targets.is_empty() {
        let outcome = "no target is configured";
        server
            .ledger
            .note_try(id, Delivery::Unaddressed, outcome)
            .await?;
        return Ok(None);
    }
    let mut failure = None;
    for target in targets {
        let name = target.url.as_str();
        if webhook.delivered_to.iter().any(|taken| taken == name) {
            continue;
        }
        match send(server, target, &webhook).await {
            Ok(()) => {
                let now_ms = server.clock.now_ms();
                server.ledger.note_delivered(id, name, now_ms).await?;
            }
            Err(outcome) => {
                tracing::warn!(
                    event = "webhook.undelivered",
                    id,
                    outcome,
                    "the backend did not take a message"
                );
                failure = Some(outcome);
            }
        }
    }
    let Some(outcome) = failure else {
        server
            .ledger
            .note_try(id, Delivery::Delivered, "taken")
            .await?;
        return Ok(None);
    };
    let wait_ms = usize::try_from(tries)
        .ok()
        .and_then(|tries| PLAN_MS.get(tries));
    let delivery = if wait_ms.is_some() {
        Delivery::Pending
    } else {
        tracing::error!(
            event = "webhook.failed",
            id,
            outcome,
            "a message is given up"
        );
        Delivery::Failed
    };
    server.ledger.note_try(id, delivery, &outcome).await?;
    Ok(wait_ms.map(|wait_ms| server.clock.now_ms() + wait_ms))
}

/// One try; says in a few words why it was not taken.
async fn send(
    server: &MerchantServer,
    target: &WebhookTarget,
    webhook: &Webhook,
) -> Result<(), String> {
    let now_s = server.clock.now_ms().div_euclid(1000);
    let request = Request::post(target.url.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", &webhook.id)
        .header("webhook-timestamp", now_s)
        .header(
            "webhook-signature",
            signature(&target.key, &webhook.id, now_s, &webhook.body),
        )
        .body(Bytes::from(webhook.body.clone()))
        .map_err(|error| error.to_string())?;
    match server.webhooks.call(request).await {
        Ok(reply) if reply.status().is_success() => Ok(()),
        Ok(reply) => Err(outcome(reply.status())),
        Err(TransportError::NotSent(reason)) => Err(format!("not reached: {reason}")),
        Err(TransportError::NoAnswer(reason)) => Err(format!("no answer: {reason}")),
    }
}

fn outcome(status: StatusCode) -> String {
    format!("answered {}", status.as_u16())
}

/// `v1,` and the HMAC of id, time and body.
fn signature(key: &[u8], id: &str, now_s: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(format!("{id}.{now_s}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}
