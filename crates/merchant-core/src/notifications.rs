//! WeChat's notifications. The raw bytes are verified before anything in them is read. The effect
//! is in the ledger before the notification is acknowledged.
//!
//! Only a recorded notification may be acknowledged: after any failure, the answer makes WeChat
//! send the notification again. A notification that WeChat signed but that is not understood is
//! also stored whole (`unread`).

mod unread;

use aws_lc_rs::digest::{SHA256, digest};
use http::HeaderMap;
use wechat_pay::{
    Notification, NotificationError, NotifiedResource, SignatureError, lower_hex,
    open_notification, v2,
};

use crate::ledger::{Evidence, LedgerError};
use crate::payments::Payments;
use crate::refunds::NoticeRecorded;
use crate::wechat::OrderReport;
use crate::{refunds, settlement};

/// The result of receiving a notification.
#[derive(Debug)]
pub enum Received {
    /// It is in the ledger: WeChat may stop sending it.
    Recorded,
    /// The database could not record it.
    NotRecorded,
    /// It could not be verified, or cannot be read.
    Refused(NotificationError),
}

/// Receives a notification of version 3, of any event type.
pub async fn receive(payments: &Payments, headers: &HeaderMap, body: &[u8]) -> Received {
    match open(payments, headers, body).await {
        Ok(notification) => match record(payments, &notification).await {
            Ok(()) => Received::Recorded,
            Err(error) => {
                unrecorded(&notification.id, &error);
                Received::NotRecorded
            }
        },
        Err(error) => {
            report(&error);
            unread::keep_refused(payments, &error, body).await;
            Received::Refused(error)
        }
    }
}

/// The result of receiving a notification of version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceivedV2 {
    /// It is in the ledger: WeChat may stop sending it.
    Recorded,
    /// The database could not record it.
    NotRecorded,
    /// The configuration has no key to decrypt it.
    NoKey,
    /// It cannot be decrypted.
    Refused,
}

/// Verifies and decrypts. For an unknown serial number, new certificates are downloaded once, and
/// the same bytes are verified again.
async fn open(
    payments: &Payments,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Notification, NotificationError> {
    let open = || {
        open_notification(
            headers,
            body,
            &payments.wechat.trust.keys(),
            &payments.config.merchant.api_v3_key,
            payments.clock.now_ms().div_euclid(1000),
        )
    };
    match open() {
        Err(NotificationError::Signature(SignatureError::UnknownSerial(serial)))
            if learn(payments, serial.clone()).await =>
        {
            open()
        }
        opened => opened,
    }
}

/// In a task of its own: WeChat closes the connection after five seconds, and a download that ends
/// with its call would be lost and not retried for a minute.
async fn learn(payments: &Payments, serial: String) -> bool {
    let payments = payments.clone();
    let learning = tokio::spawn(async move { payments.wechat.learn_serial(&serial).await });
    // A task that panicked has no new certificates.
    learning.await.unwrap_or(false)
}

/// Handles a notification of version 2. It is encrypted but not signed, so it changes nothing by
/// itself: WeChat is queried.
pub async fn receive_v2(payments: &Payments, body: &[u8]) -> ReceivedV2 {
    let Some(key) = &payments.config.merchant.api_v2_key else {
        tracing::error!(
            event = "notification.unreadable",
            "a refund's notification of version 2 needs merchant.api_v2_key"
        );
        return ReceivedV2::NoKey;
    };
    let hint = match v2::open_refund_notification(body, key) {
        Ok(hint) => hint,
        Err(error) => {
            tracing::warn!(event = "notification.refused", %error, "a notification of version 2 is not believed");
            return ReceivedV2::Refused;
        }
    };
    // It has no id: the same bytes are the same notification.
    let hash = digest(&SHA256, body);
    let evidence = Evidence::Notification {
        id: format!("v2-{}", lower_hex(&hash.as_ref()[..16])),
        event_type: "V2.REFUND".to_owned(),
    };
    match refunds::record_unverified(payments, &evidence, &hint).await {
        Ok(()) => ReceivedV2::Recorded,
        Err(error) => {
            unrecorded(&hint.out_refund_no, &error);
            ReceivedV2::NotRecorded
        }
    }
}

async fn record(payments: &Payments, notification: &Notification) -> Result<(), LedgerError> {
    let evidence = Evidence::Notification {
        id: notification.id.clone(),
        event_type: notification.event_type.clone(),
    };
    unread::report_left_out(notification);
    let json = &notification.plaintext;
    let order_report = match &notification.resource {
        NotifiedResource::Transaction(transaction) => {
            OrderReport::new((**transaction).clone(), json)
        }
        NotifiedResource::Refund(notice) => {
            let recorded =
                refunds::record_notice(payments, &evidence, notification, notice).await?;
            return match recorded {
                NoticeRecorded::Recorded => Ok(()),
                NoticeRecorded::UnknownStatus => {
                    let field = Some("refund_status");
                    unread::keep(payments, notification, "unknown_word", field).await
                }
            };
        }
        _ => return unread::keep(payments, notification, "unknown_kind", None).await,
    };
    // The trade state says whether the order is paid; the event type does not.
    if !order_report.transaction.trade_state.is_paid() {
        let field = Some("trade_state");
        return unread::keep(payments, notification, "not_paid", field).await;
    }
    settlement::record(payments, &evidence, &order_report).await?;
    Ok(())
}

fn unrecorded(id: &str, error: &LedgerError) {
    tracing::error!(event = "notification.unrecorded", id, %error, "a notification could not be recorded");
}

fn report(error: &NotificationError) {
    match error {
        // WeChat sometimes sends wrong signatures as a test, so this raises no alarm.
        error if error.is_probe() => tracing::debug!("a signature probe was refused"),
        NotificationError::Signature(_) => {
            tracing::warn!(event = "notification.refused", %error, "a notification is not believed");
        }
        NotificationError::Opening { id, .. } => {
            tracing::error!(event = "notification.unreadable", id, %error, "a signed notification cannot be opened");
        }
        // It is logged where it is stored.
        _ => {}
    }
}
