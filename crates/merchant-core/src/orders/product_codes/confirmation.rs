//! Asks the merchant's backend what a scanned code costs now: one signed request to the configured
//! address, with a short deadline, and the answer. It makes no order.

use bytes::Bytes;
use http::{Request, header};
use jiff::Timestamp;
use merchant_api::{ScanConfirmation, ScanQuestion};
use serde::Serialize;
use wechat_pay::v2::NativeCallback;

use crate::config::WebhookTarget;
use crate::input::json_form::GivenJson;
use crate::input::plain_text;
use crate::ledger::ProductCode;
use crate::orders::creation::TOTAL_MAX_FEN;
use crate::payments::Payments;
use crate::webhooks::signatures;

/// How long the backend may take, in milliseconds: the buyer waits, and WeChat waits for this server.
const DEADLINE_MS: i64 = 3_000;
const EVENT_TYPE: &str = "product.scanned";

/// Why there is no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConfirmation {
    #[error("[scan_webhook] is not configured")]
    NoTarget,
    #[error("it did not answer within {DEADLINE_MS} ms")]
    TooLate,
    #[error("{0}")]
    NotReached(String),
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer is not understood: {0}")]
    Nonsense(String),
}

/// The message, in the envelope of all webhooks.
#[derive(Serialize)]
struct Envelope<'a> {
    r#type: &'static str,
    timestamp: String,
    data: ScanQuestion<'a>,
}

/// Asks the backend. `scan_id` is the same for a repeated callback, and the message's id.
pub(super) async fn ask(
    payments: &Payments,
    code: &ProductCode,
    callback: &NativeCallback,
    scan_id: &str,
) -> Result<ScanConfirmation, NoConfirmation> {
    let target = payments.config.scan_webhook.as_ref();
    let target = target.ok_or(NoConfirmation::NoTarget)?;
    let request = request(payments, target, code, callback, scan_id)?;
    let reply = tokio::select! {
        reply = payments.webhooks.call(request) => reply,
        () = payments.clock.sleep_ms(DEADLINE_MS) => return Err(NoConfirmation::TooLate),
    };
    let reply = reply.map_err(|error| NoConfirmation::NotReached(error.to_string()))?;
    if !reply.status().is_success() {
        return Err(NoConfirmation::Status(reply.status().as_u16()));
    }
    read(reply.body())
}

/// Reads the answer by the rules that hold for a backend's orders.
fn read(body: &[u8]) -> Result<ScanConfirmation, NoConfirmation> {
    let nonsense = |error: String| NoConfirmation::Nonsense(error);
    let given: GivenJson =
        serde_json::from_slice(body).map_err(|error| nonsense(error.to_string()))?;
    let answer: ScanConfirmation = given
        .read()
        .map_err(|misfit| nonsense(misfit.to_string()))?;
    if let Some((name, rule)) = first_broken(&given) {
        return Err(nonsense(format!("{name} {rule}")));
    }
    match (answer.total_fen, &answer.refusal) {
        (Some(1..=TOTAL_MAX_FEN), None) | (None, Some(_)) => Ok(answer),
        (Some(_), None) => Err(nonsense(
            "total_fen must be from 1 to 1000000000".to_owned(),
        )),
        (Some(_), Some(_)) | (None, None) => Err(nonsense(
            "it must hold total_fen or refusal, and one alone".to_owned(),
        )),
    }
}

/// The first field that no text or number of the answer may be.
fn first_broken(given: &GivenJson) -> Option<(&str, &'static str)> {
    let GivenJson::Object(fields) = given else {
        return None;
    };
    fields.iter().find_map(|(name, value)| {
        let rule = match value {
            GivenJson::Null => Some("must not be null"),
            GivenJson::Text(text) if text.is_empty() => Some("must not be empty"),
            GivenJson::Text(text) => plain_text::broken_rule(text),
            _ => None,
        };
        rule.map(|rule| (&**name, rule))
    })
}

fn request(
    payments: &Payments,
    target: &WebhookTarget,
    code: &ProductCode,
    callback: &NativeCallback,
    scan_id: &str,
) -> Result<Request<Bytes>, NoConfirmation> {
    let now_ms = payments.clock.now_ms();
    let internal = |error: String| NoConfirmation::NotReached(error);
    let now = Timestamp::from_millisecond(now_ms).map_err(|error| internal(error.to_string()))?;
    let envelope = Envelope {
        r#type: EVENT_TYPE,
        timestamp: now.to_string(),
        data: ScanQuestion {
            scan_id,
            product_id: &code.product_id,
            name: &code.name,
            openid: callback.openid.as_str(),
            is_subscribed: callback.is_subscribe,
        },
    };
    let body = serde_json::to_vec(&envelope).map_err(|error| internal(error.to_string()))?;
    let sent_s = now_ms.div_euclid(1000);
    let signature = signatures(&target.keys, scan_id, sent_s, &body);
    Request::post(target.url.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", scan_id)
        .header("webhook-timestamp", sent_s)
        .header("webhook-signature", signature)
        .body(Bytes::from(body))
        .map_err(|error| internal(error.to_string()))
}
