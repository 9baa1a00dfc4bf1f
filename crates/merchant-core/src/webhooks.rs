//! Webhooks to the merchant's backend, in the form of Standard Webhooks: an id that is the same on
//! every try, the time of the try, and an HMAC over id, time and body. Delivery is at least once
//! and in no fixed order; the receiver ignores a known id.
//!
//! This module lists messages for the backend and sends them again. Delivery is in the module
//! `delivery`. Delivery never delays the answer to WeChat: a message is committed first, and sent
//! on a lane of its own.

mod delivery;
mod notice;

pub(crate) use delivery::{NextTry, deliver, signatures};
use merchant_api::{ErrorCode, WebhookDetails, WebhookList, WebhooksResent};

pub use crate::ledger::{Delivery, NOTICE_TYPE};
use crate::ledger::{Webhook, WebhookFilter, cut, timestamp};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// Messages, newest first. `before` is the id of the last message that the caller has seen.
pub async fn list(
    payments: &Payments,
    state: Option<Delivery>,
    event_type: Option<String>,
    before: Option<&str>,
    limit: u32,
) -> Result<WebhookList, Refusal> {
    let before = match before {
        None => None,
        Some(id) => {
            let last_seen = payments.ledger.webhook(id).await?;
            let last_seen =
                last_seen.ok_or_else(|| Refusal::invalid("before", "names no message"))?;
            Some((last_seen.created_ms, last_seen.id))
        }
    };
    let filter = WebhookFilter {
        state,
        event_type,
        before,
    };
    let mut webhooks = payments.ledger.webhooks(&filter, limit + 1).await?;
    Ok(WebhookList {
        next_before: cut(&mut webhooks, limit).map(|webhook| webhook.id.clone()),
        webhooks: webhooks.into_iter().map(details).collect(),
    })
}

/// A message, with the number of the order that it is about, if it names one.
pub async fn show(
    payments: &Payments,
    id: &str,
) -> Result<(WebhookDetails, Option<String>), Refusal> {
    let webhook = find(payments, id).await?;
    let message: Option<serde_json::Value> = serde_json::from_slice(&webhook.body).ok();
    let order_no = message
        .as_ref()
        .and_then(|it| it["data"]["order_no"].as_str());
    let order_no = order_no.map(str::to_owned);
    Ok((details(webhook), order_no))
}

/// Sends all messages in a state again, of one type or of all types.
pub async fn resend_all(
    payments: &Payments,
    state: Delivery,
    event_type: Option<&str>,
) -> Result<WebhooksResent, Refusal> {
    let now_ms = payments.clock.now_ms();
    let resent = payments
        .ledger
        .resend_all(state, event_type, now_ms)
        .await?;
    Ok(WebhooksResent { resent })
}

/// Sends one message to every target again.
pub async fn resend(payments: &Payments, id: &str) -> Result<WebhookDetails, Refusal> {
    find(payments, id).await?;
    payments.ledger.resend(id, payments.clock.now_ms()).await?;
    find(payments, id).await.map(details)
}

async fn find(payments: &Payments, id: &str) -> Result<Webhook, Refusal> {
    let webhook = payments.ledger.webhook(id).await?;
    webhook.ok_or_else(|| Refusal::new(ErrorCode::WebhookUnknown, "no message has this id"))
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
