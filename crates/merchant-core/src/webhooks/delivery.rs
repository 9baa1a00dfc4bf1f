//! Delivery of a webhook message: to all targets in parallel, or to the one `notify_url` that it is
//! for. A target may be slow, dead, or have the message already. Only configured addresses are
//! called, and no redirect is followed.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, StatusCode, header};
use url::Url;
use wechat_pay::Stamp;
use wechat_pay::v2::ApiV2Key;

use super::notice;
use crate::config::{Config, WebhookTarget};
use crate::ledger::{Delivery, LedgerError, Webhook};
use crate::payments::Payments;
use crate::surroundings::TransportError;

/// The time between two tries, as Standard Webhooks recommends. After the last one a person is
/// needed.
const PLAN_MS: [i64; 9] = [
    5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000,
    86_400_000,
];

/// When a message is sent again.
pub(crate) enum NextTry {
    /// After a try that failed.
    At(i64),
    /// Without a try: every target that lacks the message was skipped.
    Uncounted(i64),
}

/// A target, and the form in which it gets a message.
#[derive(Clone, Copy)]
enum Target<'a> {
    /// A signed JSON message, by Standard Webhooks.
    Webhook(&'a WebhookTarget),
    /// WeChat's own notification, signed with the APIv2 key.
    Notify(&'a Url, &'a ApiV2Key),
}

impl<'a> Target<'a> {
    fn address(self) -> &'a str {
        match self {
            Self::Webhook(target) => target.url.as_str(),
            Self::Notify(url, _) => url.as_str(),
        }
    }
}

/// The targets of a message. A message for an address that is not configured any more has none.
fn targets_of<'a>(config: &'a Config, webhook: &Webhook) -> Vec<Target<'a>> {
    let Some(notify_url) = &webhook.notify_url else {
        return config.webhooks.iter().map(Target::Webhook).collect();
    };
    let service = config.wxpay_server.as_ref();
    let url = service.and_then(|service| service.notify_url(notify_url));
    let target = url.zip(config.merchant.api_v2_key.as_ref());
    target
        .map(|(url, key)| Target::Notify(url, key))
        .into_iter()
        .collect()
}

/// Why a target does not have a message yet.
enum DeliveryFailure {
    /// The target was called and did not accept the message; the result.
    Refused(String),
    /// The target was not called. It can be called after this many milliseconds.
    Skipped(i64),
}

/// Sends a message to every target that has not accepted it yet; returns the time of the next try,
/// if there is one. `tries` counts the tries before this one.
pub(crate) async fn deliver(
    payments: &Payments,
    id: &str,
    tries: u64,
) -> Result<Option<NextTry>, LedgerError> {
    let Some(webhook) = payments.ledger.webhook(id).await? else {
        return Ok(None);
    };
    let targets = targets_of(&payments.config, &webhook);
    if targets.is_empty() {
        let outcome = if webhook.notify_url.is_some() {
            "its notify_url is not configured any more"
        } else {
            "no target is configured"
        };
        let (ledger, delivery) = (&payments.ledger, Delivery::Unaddressed);
        ledger.note_try(id, delivery, outcome, true).await?;
        return Ok(None);
    }
    let missing = targets.iter().filter(|target| {
        let name = target.address();
        !webhook.delivered_to.iter().any(|taken| taken == name)
    });
    let results = join_all(missing.map(|target| deliver_to(payments, *target, &webhook))).await;
    let (mut failure, mut skipped_ms) = (None, None);
    for target in results {
        match target? {
            Ok(()) => {}
            Err(DeliveryFailure::Refused(outcome)) => failure = Some(outcome),
            Err(DeliveryFailure::Skipped(wait_ms)) => skipped_ms = skipped_ms.max(Some(wait_ms)),
        }
    }
    conclude(payments, id, tries, failure, skipped_ms).await
}

/// Records the result of all targets' answers.
async fn conclude(
    payments: &Payments,
    id: &str,
    tries: u64,
    failure: Option<String>,
    skipped_ms: Option<i64>,
) -> Result<Option<NextTry>, LedgerError> {
    let (ledger, now_ms) = (&payments.ledger, payments.clock.now_ms());
    let Some(outcome) = failure else {
        let Some(wait_ms) = skipped_ms else {
            let delivery = Delivery::Delivered;
            ledger.note_try(id, delivery, "taken", true).await?;
            return Ok(None);
        };
        let (delivery, outcome) = (Delivery::Pending, "not called: it does not answer");
        ledger.note_try(id, delivery, outcome, false).await?;
        return Ok(Some(NextTry::Uncounted(now_ms + wait_ms)));
    };
    let wait_ms = usize::try_from(tries)
        .ok()
        .and_then(|tries| PLAN_MS.get(tries).copied());
    let next = match (wait_ms, skipped_ms) {
        (Some(wait_ms), _) => Some(NextTry::At(now_ms + wait_ms)),
        // Do not fail the message until the unresponsive target has been tried as well.
        (None, Some(wait_ms)) => Some(NextTry::Uncounted(now_ms + wait_ms)),
        (None, None) => None,
    };
    let delivery = if next.is_some() {
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
    ledger.note_try(id, delivery, &outcome, true).await?;
    Ok(next)
}

/// Sends the message to one target, and records at once that it was accepted.
async fn deliver_to(
    payments: &Payments,
    target: Target<'_>,
    webhook: &Webhook,
) -> Result<Result<(), DeliveryFailure>, LedgerError> {
    let name = target.address();
    let standing = payments.targets.of(name);
    let turn = match standing.turn(&*payments.clock).await {
        Ok(turn) => turn,
        Err(wait_ms) => return Ok(Err(DeliveryFailure::Skipped(wait_ms))),
    };
    let answered = send(payments, target, webhook).await;
    turn.ended(answered.is_ok(), payments.clock.monotonic_ms());
    let outcome = match answered {
        Ok(Reply::Taken) => {
            let now_ms = payments.clock.now_ms();
            let ledger = &payments.ledger;
            ledger.note_delivered(&webhook.id, name, now_ms).await?;
            return Ok(Ok(()));
        }
        Ok(Reply::Refused(status)) => format!("answered {}", status.as_u16()),
        Ok(Reply::NotAcknowledged) => "answered without return_code SUCCESS".to_owned(),
        Err(TransportError::NotSent(reason)) => format!("not reached: {reason}"),
        Err(TransportError::NoAnswer(reason)) => format!("no answer: {reason}"),
    };
    tracing::warn!(
        event = "webhook.undelivered",
        id = webhook.id,
        outcome,
        "the backend did not take a message"
    );
    Ok(Err(DeliveryFailure::Refused(outcome)))
}

/// A target's answer.
enum Reply {
    /// It accepted the message.
    Taken,
    /// It answered with this status.
    Refused(StatusCode),
    /// The status is a success, and the body does not acknowledge WeChat's notification.
    NotAcknowledged,
}

/// Makes one call. A response with any status counts as an answer.
async fn send(
    payments: &Payments,
    target: Target<'_>,
    webhook: &Webhook,
) -> Result<Reply, TransportError> {
    let request = match target {
        Target::Webhook(target) => webhook_request(payments, target, webhook)?,
        Target::Notify(url, key) => notify_request(payments, url, key, webhook)?,
    };
    let reply = payments.webhooks.call(request).await?;
    Ok(match target {
        _ if !reply.status().is_success() => Reply::Refused(reply.status()),
        Target::Notify(..) if !notice::is_acknowledged(reply.body()) => Reply::NotAcknowledged,
        _ => Reply::Taken,
    })
}

/// WeChat's notification, signed again for each try.
fn notify_request(
    payments: &Payments,
    url: &Url,
    key: &ApiV2Key,
    webhook: &Webhook,
) -> Result<Request<Bytes>, TransportError> {
    let now_s = payments.clock.now_ms().div_euclid(1000);
    let random = payments
        .randomness
        .bytes()
        .map_err(|error| TransportError::NotSent(error.to_string()))?;
    let body = notice::signed(&webhook.body, key, &Stamp::new(now_s, random))
        .map_err(|error| TransportError::NotSent(error.to_string()))?;
    Request::post(url.as_str())
        .header(header::CONTENT_TYPE, "text/xml")
        .body(body)
        .map_err(|error| TransportError::NotSent(error.to_string()))
}

/// A message by Standard Webhooks.
fn webhook_request(
    payments: &Payments,
    target: &WebhookTarget,
    webhook: &Webhook,
) -> Result<Request<Bytes>, TransportError> {
    let now_s = payments.clock.now_ms().div_euclid(1000);
    let body = match &webhook.payer_body {
        Some(body) if target.with_payer => body,
        _ => &webhook.body,
    };
    Request::post(target.url.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", &webhook.id)
        .header("webhook-timestamp", now_s)
        .header(
            "webhook-signature",
            signatures(&target.keys, &webhook.id, now_s, body),
        )
        .body(Bytes::from(body.clone()))
        .map_err(|error| TransportError::NotSent(error.to_string()))
}

/// One signature for each key, separated by blanks. The receiver accepts the message if it knows
/// the secret of one of them.
pub(crate) fn signatures(keys: &[Vec<u8>], id: &str, now_s: i64, body: &[u8]) -> String {
    let signatures: Vec<_> = keys
        .iter()
        .map(|key| signature(key, id, now_s, body))
        .collect();
    signatures.join(" ")
}

/// `v1,` and the HMAC of id, time and body.
fn signature(key: &[u8], id: &str, now_s: i64, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(format!("{id}.{now_s}.").as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}
