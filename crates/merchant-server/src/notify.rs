//! WeChat's notifications. The raw bytes are verified before anything in them is looked at; the
//! effect is in the ledger before WeChat hears that it may stop telling us.
//!
//! 204 means "recorded", and nothing else ever does: whatever goes wrong is answered so that
//! WeChat tells us again.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use wechat_pay::{
    Notification, NotificationError, NotifiedResource, SignatureError, TRANSACTION_SUCCESS,
    failure_body, open_notification,
};

use crate::ledger::{Evidence, LedgerError};
use crate::server::MerchantServer;
use crate::settlement;

/// `POST /wechat/notify/payment`
pub(crate) async fn payment(
    State(server): State<MerchantServer>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else {
        return failure(StatusCode::PAYLOAD_TOO_LARGE, "the body did not come whole");
    };
    match open(&server, &headers, &body).await {
        Ok(notification) => match record(&server, &notification).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(error) => {
                tracing::error!(event = "notification.unrecorded", id = notification.id, %error, "a notification could not be recorded");
                failure(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "not recorded, tell again",
                )
            }
        },
        Err(error) => {
            report(&error);
            failure(error.status(), &error.to_string())
        }
    }
}

/// Verifies and opens. A serial that nobody knows makes us look for new certificates once, and
/// the same bytes are looked at again.
async fn open(
    server: &MerchantServer,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Notification, NotificationError> {
    let open = || {
        open_notification(
            headers,
            body,
            &server.wechat.trust.keys(),
            &server.config.merchant.api_v3_key,
            server.clock.now_ms().div_euclid(1000),
        )
    };
    match open() {
        Err(NotificationError::Signature(SignatureError::UnknownSerial(serial)))
            if server.wechat.learn_serial(&serial).await =>
        {
            open()
        }
        opened => opened,
    }
}

async fn record(server: &MerchantServer, notification: &Notification) -> Result<(), LedgerError> {
    let evidence = Evidence::Notification {
        id: notification.id.clone(),
        event_type: notification.event_type.clone(),
    };
    match &notification.resource {
        NotifiedResource::Transaction(transaction)
            if notification.event_type == TRANSACTION_SUCCESS =>
        {
            settlement::record(server, &evidence, transaction).await?;
            Ok(())
        }
        _ => {
            tracing::info!(
                event = "notification.other",
                event_type = notification.event_type,
                "a notification that this version has nothing to do for"
            );
            let now_ms = server.clock.now_ms();
            server
                .ledger
                .record_other_notification(&evidence, now_ms)
                .await
        }
    }
}

fn report(error: &NotificationError) {
    match error {
        // WeChat tests us with wrong signatures now and then: no alarm.
        error if error.is_probe() => tracing::debug!("a signature probe was refused"),
        NotificationError::Signature(_) => {
            tracing::warn!(event = "notification.refused", %error, "a notification is not believed");
        }
        _ => {
            tracing::error!(event = "notification.unreadable", %error, "a signed notification cannot be read");
        }
    }
}

fn failure(status: StatusCode, message: &str) -> Response {
    let json = HeaderValue::from_static("application/json");
    (
        status,
        [(header::CONTENT_TYPE, json)],
        failure_body(message),
    )
        .into_response()
}
