//! Telling the merchant's backend, after the Standard Webhooks scheme: an id that stays the same
//! on every try, the time of the try, and an HMAC over id, time and body. At least once, never in
//! a promised order; the receiver drops an id that it knows.
//!
//! Here is what the backend asks about its messages; how they go out is in `delivery`. Nothing of it
//! holds up WeChat: what is sent was committed before, and is sent on a lane of its own.

mod delivery;

pub(crate) use delivery::{NextTry, deliver};
use merchant_api::{ErrorCode, WebhookDetails, WebhookList, WebhooksResent};

pub use crate::ledger::Delivery;
use crate::ledger::{Webhook, WebhookFilter, cut, timestamp};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// Messages, newest first. `before` is the id of the last that was seen.
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

/// Sends again what is in a state, of one type or of all.
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
