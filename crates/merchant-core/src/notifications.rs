//! WeChat's notifications. The raw bytes are verified before anything in them is read. The effect
//! is in the ledger before the notification is acknowledged.
//!
//! Only a recorded notification may be acknowledged: after any failure, the answer makes WeChat
//! send the notification again. A notification that WeChat signed but that is not understood is
//! also stored whole (`unread`). Those of version 2 are in `version_2`.

mod events;
mod other_merchants;
mod unread;
mod version_2;

use http::HeaderMap;
use other_merchants::{is_another_merchants, is_at_another_address};
pub use version_2::{ReceivedV2, receive_v2_payment, receive_v2_refund};
use wechat_pay::{
    ApiV3Key, Notification, NotificationError, NotifiedResource, SignatureError, open_notification,
};

use crate::ledger::{Evidence, LedgerError};
use crate::orders::sharing;
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
    /// The configuration has no key to decrypt it.
    NoKey,
    /// It could not be verified, or cannot be read.
    Refused(NotificationError),
    /// It is another merchant's of this server, and came to this one's address.
    OtherMerchants,
}

/// Receives a notification of version 3, of any event type.
pub async fn receive(payments: &Payments, headers: &HeaderMap, body: &[u8]) -> Received {
    let Some(key) = &payments.config.merchant.api_v3_key else {
        tracing::warn!(
            event = "notification.refused",
            "a notification of version 3 came, and the configuration has only version 2"
        );
        return Received::NoKey;
    };
    match open(payments, key, headers, body).await {
        Ok(notification) if is_for_another(payments, &notification) => Received::OtherMerchants,
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

/// Whether a notification came to the wrong merchant's address. A notice of shares names the merchant that
/// shares, and is for the one that receives.
fn is_for_another(payments: &Payments, notification: &Notification) -> bool {
    match &notification.resource {
        NotifiedResource::Share(notice) => {
            is_at_another_address(payments, &notice.receiver.account)
        }
        _ => is_another_merchants(payments, &notification.plaintext),
    }
}

/// Verifies and decrypts. For an unknown serial number, new certificates are downloaded once, and
/// the same bytes are verified again.
async fn open(
    payments: &Payments,
    key: &ApiV3Key,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Notification, NotificationError> {
    let open = || {
        open_notification(
            headers,
            body,
            &payments.wechat.trust.keys(),
            key,
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
        NotifiedResource::Combined(combined) => OrderReport::combined((**combined).clone(), json),
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
        NotifiedResource::Share(notice) => {
            // It is about one receiver's part and not about the whole share, so the share is queried.
            sharing::hear(payments, &notice.out_order_no).await?;
            return events::hand_on(payments, notification, "profitsharing").await;
        }
        NotifiedResource::Other { original_type } => {
            return events::hand_on(payments, notification, original_type).await;
        }
        _ => return unread::keep(payments, notification, "unknown_kind", None).await,
    };
    // The trade state says whether the order is paid; the event type does not.
    if !order_report.is_paid() {
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
