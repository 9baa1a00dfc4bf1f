//! Notifications to the merchant: sealed, signed, sent, and retried on WeChat's schedule.
//!
//! Due deliveries are data in the ledger; only [`Simulator::run_for_ever`] sleeps. Each one is sealed and signed again,
//! with the system's time, because a merchant compares it with its own clock.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::cipher::{AES_256, PaddedBlockEncryptingKey, UnboundCipherKey};
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, header};
use md5::{Digest, Md5};
use wechat_pay::v2::{ApiV2Key, payment_notification};
use wechat_pay::{NotificationDraft, Transaction, lower_hex};

use crate::clock::after;
use crate::faults::{CallFaults, FaultKind, NOTIFICATION};
use crate::keyring::Keyring;
use crate::ledger::Delivery;
use crate::ledger::notice::{NoticeKind, TryOutcome};
use crate::simulator::{Signing, Simulator};

/// The most bytes of an acknowledgement in XML.
const XML_ANSWER_LIMIT_BYTES: usize = 64 * 1024;

/// How long a merchant has to answer.
pub const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long due work is awaited at most, whatever the clock does.
const LONGEST_SLEEP: Duration = Duration::from_mins(1);
/// The shortest sleep between two looks at what is due.
const SHORTEST_SLEEP: Duration = Duration::from_millis(20);

impl Simulator {
    /// Makes all due deliveries of notifications, also those that become due meanwhile, and applies
    /// due results of refunds and shares. Returns when all of them are done.
    pub async fn run_due(&self) {
        self.settle_transfers();
        send_due(self).await;
        if let Err(error) = self.persist().await {
            tracing::error!(%error, "the state could not be saved");
        }
    }

    /// Runs due work when it is due, forever, in a program that has a runtime. A payment or an
    /// advanced clock wakes it early.
    pub async fn run_for_ever(&self) -> Infallible {
        loop {
            // A separate task: a merchant that does not answer must not delay the others.
            tokio::spawn({
                let simulator = self.clone();
                async move { simulator.run_due().await }
            });
            let wait = self.next_due().map_or(LONGEST_SLEEP, |due_at| {
                let left_ms = due_at.as_millisecond() - self.clock().now().as_millisecond();
                Duration::from_millis(u64::try_from(left_ms).unwrap_or_default())
            });
            tokio::select! {
                () = self.work_arrived() => {}
                () = tokio::time::sleep(wait.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)) => {}
            }
        }
    }
}

async fn send_due(simulator: &Simulator) {
    loop {
        let due = simulator.ledger().take_due(simulator.clock().now());
        if due.is_empty() {
            return;
        }
        // A notified state must survive the process. If it cannot be saved, the deliveries stay
        // due.
        if let Err(error) = simulator.persist().await {
            tracing::error!(%error, "the state could not be saved, so no notification is sent");
            simulator.ledger().return_due(&due);
            return;
        }
        // Separate tasks: a cancelled caller must not interrupt a delivery.
        let tries: Vec<_> = due
            .into_iter()
            .map(|delivery| {
                let simulator = simulator.clone();
                tokio::spawn(async move { deliver(&simulator, delivery).await })
            })
            .collect();
        for made in tries {
            if let Err(error) = made.await {
                tracing::error!(%error, "a delivery of a notification was interrupted");
            }
        }
    }
}

/// The effect of faults on a delivery.
enum DeliveryEffect {
    /// Sent once or twice.
    Sent(u8),
    /// Postponed by this many seconds.
    Postponed(i64),
    /// Never arrives.
    Lost,
}

async fn deliver(simulator: &Simulator, delivery: Delivery) {
    let hits = simulator.faults().draw(NOTIFICATION);
    wait(&hits).await;
    let times = match effect_of(&hits) {
        DeliveryEffect::Sent(times) => times,
        DeliveryEffect::Postponed(seconds) => {
            let due_at = after(simulator.clock().now(), seconds.max(1));
            let mut ledger = simulator.ledger();
            ledger.postpone(&delivery.order, &delivery.notice.id, due_at);
            return;
        }
        DeliveryEffect::Lost => {
            let lost = TryOutcome::NoAnswer("dropped by a fault".to_owned());
            record(simulator, &delivery, lost);
            return;
        }
    };
    let mut outcome = TryOutcome::NoAnswer("not sent".to_owned());
    for _ in 0..times {
        outcome = send(simulator, &delivery, &hits).await;
    }
    tracing::info!(
        out_trade_no = delivery.order.out_trade_no,
        url = delivery.notice.url,
        try_number = delivery.notice.tries.len() + 1,
        ?outcome,
        "notification"
    );
    record(simulator, &delivery, outcome);
}

fn record(simulator: &Simulator, delivery: &Delivery, outcome: TryOutcome) {
    simulator
        .ledger()
        .record_try(&delivery.order, &delivery.notice.id, outcome);
}

fn effect_of(hits: &CallFaults) -> DeliveryEffect {
    if let Some(seconds) = hits.seconds(FaultKind::Late, 3600) {
        DeliveryEffect::Postponed(seconds)
    } else if let Some(seconds) = hits.seconds(FaultKind::Reordered, 30) {
        DeliveryEffect::Postponed(seconds)
    } else if hits.has(FaultKind::Dropped) {
        DeliveryEffect::Lost
    } else if hits.has(FaultKind::Repeated) {
        DeliveryEffect::Sent(2)
    } else {
        DeliveryEffect::Sent(1)
    }
}

async fn wait(hits: &CallFaults) {
    if let Some(delay_ms) = hits.delay_ms(FaultKind::Latency, 1000) {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
}

async fn send(simulator: &Simulator, delivery: &Delivery, hits: &CallFaults) -> TryOutcome {
    let request = match delivery.notice.kind {
        NoticeKind::PaidXml => payment_xml_request(simulator, delivery),
        NoticeKind::RefundXml => refund_xml_request(simulator, delivery),
        _ => sealed_request(simulator, delivery, hits),
    };
    let mut request = match request {
        Ok(request) => request,
        Err(reason) => return TryOutcome::NoAnswer(reason),
    };
    if hits.has(FaultKind::Tampered) {
        *request.body_mut() = tampered(request.body());
    }
    let is_xml = delivery.notice.kind.is_xml();
    match simulator.notifications().send(request).await {
        Ok(answer) if is_xml => xml_outcome(answer).await,
        Ok(answer) => TryOutcome::Answered(answer.status().as_u16()),
        Err(error) => TryOutcome::NoAnswer(error.to_string()),
    }
}

/// The form of version 2 is acknowledged by the answer's body, not by its status.
async fn xml_outcome(answer: http::Response<axum::body::Body>) -> TryOutcome {
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), XML_ANSWER_LIMIT_BYTES)
        .await
        .unwrap_or_default();
    let text = String::from_utf8_lossy(&body);
    let says_success = text
        .split_once("<return_code>")
        .and_then(|(_, rest)| rest.split_once("</return_code>"))
        .is_some_and(|(code, _)| code.contains("SUCCESS"));
    if status == 200 && says_success {
        TryOutcome::Answered(200)
    } else if status == 200 {
        TryOutcome::NoAnswer("200 without return_code SUCCESS".to_owned())
    } else {
        TryOutcome::Answered(if status == 204 { 502 } else { status })
    }
}

/// The body with one changed character.
fn tampered(body: &Bytes) -> Bytes {
    let mut bytes = body.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte = if *byte == b'A' { b'B' } else { b'A' };
    }
    bytes.into()
}

fn sealed_request(
    simulator: &Simulator,
    delivery: &Delivery,
    hits: &CallFaults,
) -> Result<Request<Bytes>, String> {
    let notice = &delivery.notice;
    let draft = NotificationDraft {
        id: notice.id.clone(),
        create_time: notice.created_at,
        event_type: notice.kind.event_type().to_owned(),
        summary: notice.kind.summary().to_owned(),
        original_type: notice.kind.original_type().to_owned(),
        plaintext: notice.plaintext.clone().into_bytes(),
    };
    let keyring = keyring_of(simulator, delivery)?;
    let nonce = simulator.random().alphanumeric(12);
    let body = draft
        .seal(&keyring.api_v3_key, &nonce)
        .map_err(|error| error.to_string())?;
    let signing = Signing {
        keyring: &keyring,
        key: simulator.notification_key(&keyring, delivery.reply_key),
        faults: hits,
    };
    let signature = signing
        .headers(simulator, &body)
        .map_err(|error| error.to_string())?;
    let mut request = Request::post(&notice.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "*/*")
        .header(header::USER_AGENT, "Mozilla/4.0")
        .header(header::PRAGMA, "no-cache")
        .body(Bytes::from(body))
        .map_err(|error| error.to_string())?;
    request.headers_mut().extend(signature);
    Ok(request)
}

/// The payment in the form of version 2, signed with the APIv2 key as the order was.
fn payment_xml_request(
    simulator: &Simulator,
    delivery: &Delivery,
) -> Result<Request<Bytes>, String> {
    let keyring = keyring_of(simulator, delivery)?;
    let key = ApiV2Key::parse(keyring.merchant().api_v2_key.clone())
        .map_err(|error| error.to_string())?;
    let paid: Transaction =
        serde_json::from_str(&delivery.notice.plaintext).map_err(|error| error.to_string())?;
    let kind = delivery.protocol.sign_type().unwrap_or_default();
    let stamp = simulator.random().stamp(simulator.clock().wall());
    xml_request(delivery, payment_notification(&paid, &key, kind, &stamp))
}

/// The refund in the form of version 2: no signature, sealed with a key derived from the APIv2 key.
fn refund_xml_request(
    simulator: &Simulator,
    delivery: &Delivery,
) -> Result<Request<Bytes>, String> {
    let keyring = keyring_of(simulator, delivery)?;
    let merchant = keyring.merchant();
    let sealed = v2_seal(&merchant.api_v2_key, delivery.notice.plaintext.as_bytes())
        .map_err(|_| "the notification cannot be sealed".to_owned())?;
    let nonce = simulator.random().alphanumeric(32);
    let xml = format!(
        "<xml>\n<return_code><![CDATA[SUCCESS]]></return_code>\n\
         <appid><![CDATA[{}]]></appid>\n<mch_id><![CDATA[{}]]></mch_id>\n\
         <nonce_str><![CDATA[{nonce}]]></nonce_str>\n<req_info><![CDATA[{sealed}]]></req_info>\n\
         </xml>",
        merchant.appid, merchant.mchid,
    );
    xml_request(delivery, Bytes::from(xml))
}

fn xml_request(delivery: &Delivery, xml: Bytes) -> Result<Request<Bytes>, String> {
    Request::post(&delivery.notice.url)
        .header(header::CONTENT_TYPE, "text/xml")
        .header(header::ACCEPT, "*/*")
        .header(header::USER_AGENT, "Mozilla/4.0")
        .header(header::PRAGMA, "no-cache")
        .body(xml)
        .map_err(|error| error.to_string())
}

/// AES-256-ECB under the lower-case hex of the key's MD5, in base64.
fn v2_seal(api_v2_key: &str, plaintext: &[u8]) -> Result<String, Unspecified> {
    let hash = Md5::digest(api_v2_key.as_bytes());
    let hex = lower_hex(&hash);
    let key = UnboundCipherKey::new(&AES_256, hex.as_bytes())?;
    let key = PaddedBlockEncryptingKey::ecb_pkcs7(key)?;
    let mut sealed = plaintext.to_vec();
    key.encrypt(&mut sealed)?;
    Ok(STANDARD.encode(sealed))
}

fn keyring_of(simulator: &Simulator, delivery: &Delivery) -> Result<Arc<Keyring>, String> {
    simulator
        .keyring_of(delivery.notice.to.as_ref().unwrap_or(&delivery.order.mchid))
        .ok_or_else(|| "the merchant's keys are gone".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_implementations_can_open_a_sealed_notification_of_version_2() {
        // Made with `openssl enc -aes-256-ecb -K <hex of the hex of the MD5> -base64`.
        let sealed = v2_seal("ziR0QKsTUfMOuochC9RfCdmfHECorQAP", b"hello").unwrap();
        assert_eq!(sealed, "5fjaxwX5/sTQibXKzmRhCQ==");
    }

    #[test]
    fn tampering_changes_one_byte() {
        let body = Bytes::from_static(b"0123456789");
        let changed = tampered(&body);
        let differing = body.iter().zip(&changed).filter(|(a, b)| a != b).count();
        assert_eq!((changed.len(), differing), (body.len(), 1));
        assert!(tampered(&Bytes::new()).is_empty());
    }
}
