//! Notifications to the merchant: sealed, signed, sent, and sent again on WeChat's schedule.
//!
//! Due work is data in the ledger; nothing here sleeps. Each try is sealed and signed anew, with
//! the wall's time, because a merchant compares it with its own clock.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use wechat_pay::{NotificationDraft, TRANSACTION_SUCCESS};

use crate::{
    ledger::{Delivery, notice::TryOutcome, order::ReplyKey},
    simulator::Simulator,
};

/// A merchant that has not answered by then has not answered.
pub const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn run_due(simulator: &Simulator) {
    loop {
        let due = simulator.ledger().take_due(simulator.clock().now());
        if due.is_empty() {
            return;
        }
        // Tasks of their own: a caller that goes away must not leave a try half made.
        let tries: Vec<_> = due
            .into_iter()
            .map(|delivery| {
                let simulator = simulator.clone();
                tokio::spawn(async move { deliver(&simulator, delivery).await })
            })
            .collect();
        for made in tries {
            if let Err(error) = made.await {
                tracing::error!(%error, "a notification's try broke off");
            }
        }
    }
}

async fn deliver(simulator: &Simulator, delivery: Delivery) {
    let outcome = match sealed_request(simulator, &delivery) {
        Ok(request) => match simulator.notifications().send(request).await {
            Ok(answer) => TryOutcome::Answered(answer.status().as_u16()),
            Err(error) => TryOutcome::NoAnswer(error.to_string()),
        },
        Err(reason) => TryOutcome::NoAnswer(reason),
    };
    tracing::info!(
        out_trade_no = delivery.order.out_trade_no,
        url = delivery.notice.url,
        try_number = delivery.notice.tries.len() + 1,
        ?outcome,
        "notification"
    );
    simulator
        .ledger()
        .record_try(&delivery.order, &delivery.notice.id, outcome);
}

fn sealed_request(simulator: &Simulator, delivery: &Delivery) -> Result<Request<Bytes>, String> {
    let notice = &delivery.notice;
    let draft = NotificationDraft {
        id: notice.id.clone(),
        create_time: notice.created_at,
        event_type: TRANSACTION_SUCCESS.to_owned(),
        summary: "支付成功".to_owned(),
        original_type: "transaction".to_owned(),
        plaintext: notice.plaintext.clone().into_bytes(),
    };
    let keyring = simulator.keyring();
    let nonce = simulator.random().alphanumeric(12);
    let body = draft
        .seal(&keyring.api_v3_key, &nonce)
        .map_err(|error| error.to_string())?;
    let key = match delivery.reply_key {
        ReplyKey::PlatformCertificate => &keyring.platform_key,
        ReplyKey::PublicKey => &keyring.public_key,
    };
    let stamp = simulator.random().stamp(simulator.clock().wall());
    let signature = key
        .sign_headers(&stamp, &body)
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
