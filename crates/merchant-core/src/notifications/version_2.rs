//! WeChat's notifications of version 2. That of a payment is signed over all its fields, and
//! nothing in it is read before the signature is verified. That of a refund is encrypted and not
//! signed: it changes nothing by itself, and WeChat is queried.

use aws_lc_rs::digest::{SHA256, digest};
use wechat_pay::v2::{
    self, ApiV2Key, Fields, PaymentNotificationError, SignType, SignatureError,
    open_payment_notification, open_refund_notification,
};
use wechat_pay::{Transaction, lower_hex};

use super::other_merchants::report_another_merchants;
use super::unread;
use crate::config::Api;
use crate::ledger::{Evidence, LedgerError};
use crate::payments::Payments;
use crate::wechat::{OrderReport, v2_json};
use crate::{refunds, settlement};

/// The event type in the records; version 2 has no word for it.
const PAYMENT: &str = "V2.PAYMENT";
const REFUND: &str = "V2.REFUND";

/// The result of receiving a notification of version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivedV2 {
    /// It is in the ledger: WeChat may stop sending it.
    Recorded,
    /// The database could not record it.
    NotRecorded,
    /// The configuration has no key to verify or decrypt it.
    NoKey,
    /// It could not be verified, or cannot be read.
    Refused,
}

/// Receives the notification of a payment.
pub async fn receive_v2_payment(payments: &Payments, body: &[u8]) -> ReceivedV2 {
    let Some(key) = key(payments, "payment") else {
        return ReceivedV2::NoKey;
    };
    if is_another_merchants(payments, body) {
        return ReceivedV2::Refused;
    }
    let opened = match open(payments, key, body).await {
        Ok(opened) => opened,
        Err(error) => {
            unrecorded(&id(body), &error);
            return ReceivedV2::NotRecorded;
        }
    };
    let recorded = match &opened {
        Ok(transaction) => record(payments, transaction, body).await,
        // Signed, and no payment: acknowledged, so that WeChat stops sending it.
        Err(PaymentNotificationError::NoPayment(refusal)) => {
            tracing::warn!(event = "notification.no_payment", %refusal, "a notification of version 2 reports no payment");
            let now_ms = payments.clock.now_ms();
            let ledger = &payments.ledger;
            ledger
                .record_other_notification(&evidence(body, PAYMENT), now_ms)
                .await
        }
        Err(error) => {
            report(payments, error, body).await;
            return ReceivedV2::Refused;
        }
    };
    finish(recorded, body)
}

/// Receives the notification of a refund.
pub async fn receive_v2_refund(payments: &Payments, body: &[u8]) -> ReceivedV2 {
    let Some(key) = key(payments, "refund") else {
        return ReceivedV2::NoKey;
    };
    if is_another_merchants(payments, body) {
        return ReceivedV2::Refused;
    }
    let hint = match open_refund_notification(body, key) {
        Ok(hint) => hint,
        Err(error) => {
            tracing::warn!(event = "notification.refused", %error, "a notification of version 2 is not believed");
            return ReceivedV2::Refused;
        }
    };
    finish(
        refunds::record_unverified(payments, &evidence(body, REFUND), &hint).await,
        body,
    )
}

/// Whether a notification names another merchant of this server. It is not verified yet, and is only
/// refused by this.
fn is_another_merchants(payments: &Payments, body: &[u8]) -> bool {
    let fields = Fields::read(body).ok();
    let named = fields.as_ref().and_then(|fields| fields.get("mch_id"));
    let Some(theirs) = named.filter(|mchid| payments.is_another_merchant(mchid)) else {
        return false;
    };
    report_another_merchants(theirs);
    true
}

/// Verifies by the kind of signature that the order was made with. A notification leaves the kind
/// out, and must not choose a weaker one: only an order of that kind may be notified in it.
async fn open(
    payments: &Payments,
    key: &ApiV2Key,
    body: &[u8],
) -> Result<Result<Transaction, PaymentNotificationError>, LedgerError> {
    let configured = payments.config.merchant.v2_sign_type;
    let used = Fields::read(body)
        .ok()
        .and_then(|fields| SignType::of(fields.get("sign")?));
    let opened = open_payment_notification(body, key, used.unwrap_or(configured));
    let Ok(transaction) = &opened else {
        return Ok(opened);
    };
    let attempt = payments
        .ledger
        .attempt_by_out_trade_no(&transaction.out_trade_no)
        .await?;
    let expected = match attempt.map(|attempt| attempt.api) {
        Some(Api::V2(kind)) => kind,
        Some(Api::V3) | None => configured,
    };
    if used == Some(expected) {
        Ok(opened)
    } else {
        Ok(Err(SignatureError::SignType.into()))
    }
}

async fn record(
    payments: &Payments,
    transaction: &Transaction,
    body: &[u8],
) -> Result<(), LedgerError> {
    let report = OrderReport::new(transaction.clone(), fields_json(body).as_bytes());
    settlement::record(payments, &evidence(body, PAYMENT), &report).await?;
    Ok(())
}

/// Logs a refused notification. One that WeChat signed is also kept whole for a person, and WeChat
/// is queried about its number.
async fn report(payments: &Payments, error: &PaymentNotificationError, body: &[u8]) {
    match error {
        PaymentNotificationError::Malformed(problem) => {
            let json = fields_json(body);
            let field = problem.field.clone();
            unread::keep_refused_v2(payments, &id(body), PAYMENT, &json, field, error).await;
        }
        _ => {
            tracing::warn!(event = "notification.refused", %error, "a notification of version 2 is not believed");
        }
    }
}

fn key<'a>(payments: &'a Payments, of: &'static str) -> Option<&'a ApiV2Key> {
    let key = payments.config.merchant.api_v2_key.as_ref();
    if key.is_none() {
        tracing::error!(
            event = "notification.unreadable",
            of,
            "a notification of version 2 needs merchant.api_v2_key"
        );
    }
    key
}

fn finish(recorded: Result<(), LedgerError>, body: &[u8]) -> ReceivedV2 {
    match recorded {
        Ok(()) => ReceivedV2::Recorded,
        Err(error) => {
            unrecorded(&id(body), &error);
            ReceivedV2::NotRecorded
        }
    }
}

fn unrecorded(id: &str, error: &LedgerError) {
    tracing::error!(event = "notification.unrecorded", id, %error, "a notification could not be recorded");
}

fn evidence(body: &[u8], event_type: &str) -> Evidence {
    Evidence::Notification {
        id: id(body),
        event_type: event_type.to_owned(),
    }
}

/// It has no id: the same bytes are the same notification.
fn id(body: &[u8]) -> String {
    let hash = digest(&SHA256, body);
    format!("v2-{}", lower_hex(&hash.as_ref()[..16]))
}

/// All fields, for the records.
fn fields_json(body: &[u8]) -> String {
    v2::Fields::read(body).map_or_else(|_| String::new(), |fields| v2_json(&fields))
}
