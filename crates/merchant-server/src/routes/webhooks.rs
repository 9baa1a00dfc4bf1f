//! Telling the merchant's backend, after the Standard Webhooks scheme: an id that stays the same
//! on every try, the time of the try, and an HMAC over id, time and body. At least once, never in
//! a promised order; the receiver drops an id that it knows.
//!
//! Here is what the backend asks about its messages; how they go out is in `delivery`. Nothing of it
//! holds up WeChat: what is sent was committed before, and is sent on a lane of its own.

use axum::Json;
use axum::extract::{RawQuery, State};
use merchant_api::{ErrorCode, WebhookDetails, WebhookEvent, WebhookList, WebhooksResent};

use crate::config::Scope;
use crate::error::Failure;
use crate::extract::{Backend, PathText, query};
use crate::ledger::{Delivery, Webhook, WebhookFilter, timestamp};
use crate::payments::MerchantServer;

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
    word.parse()
        .map_err(|_| Failure::invalid("state", "must be pending, delivered, failed or unaddressed"))
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
