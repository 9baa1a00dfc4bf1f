//! WeChat's notifications. The raw bytes are verified before anything in them is looked at; the
//! effect is in the ledger before WeChat hears that it may stop telling us.
//!
//! 204 means "recorded", and nothing else ever does (in version 2: `SUCCESS` in the body): whatever
//! goes wrong is answered so that WeChat tells us again. What WeChat signed and what is not
//! understood is kept whole besides ([`crate::unread_notifications`]).

pub(crate) mod unread;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use wechat_pay::{
    Notification, NotificationError, NotifiedResource, SignatureError, failure_body,
    open_notification, v2,
};

use crate::ledger::{Evidence, LedgerError};
use crate::payments::MerchantServer;
use crate::surroundings::hex;
use crate::wechat::Told;
use crate::{refunds, settlement};

/// `POST /wechat/notify/payment`
pub(crate) async fn payment(
    State(server): State<MerchantServer>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Ok(body) => signed(&server, &headers, &body).await,
        Err(_) => failure(StatusCode::PAYLOAD_TOO_LARGE, "the body did not come whole"),
    }
}

/// `POST /wechat/notify/refund`. Refunds that were made without a `notify_url`, such as those of
/// WeChat's portal, are told in the form of version 2.
pub(crate) async fn refund(
    State(server): State<MerchantServer>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match body {
        Ok(body) if v2::is_xml(&body) => unsigned(&server, &body).await,
        Ok(body) => signed(&server, &headers, &body).await,
        Err(_) => failure(StatusCode::PAYLOAD_TOO_LARGE, "the body did not come whole"),
    }
}

/// A notification of version 3, whatever it tells of.
async fn signed(server: &MerchantServer, headers: &HeaderMap, body: &Bytes) -> Response {
    match open(server, headers, body).await {
        Ok(notification) => match record(server, &notification).await {
            Ok(()) => StatusCode::NO_CONTENT.into_response(),
            Err(error) => {
                unrecorded(&notification.id, &error);
                failure(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "not recorded, tell again",
                )
            }
        },
        Err(error) => {
            report(&error);
            unread::keep_refused(server, &error, body).await;
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
            if learn(server, serial.clone()).await =>
        {
            open()
        }
        opened => opened,
    }
}

/// In a task of its own: WeChat hangs up after five seconds, and a download that ends with its
/// call would be lost, and not be tried again for a minute.
async fn learn(server: &MerchantServer, serial: String) -> bool {
    let server = server.clone();
    let learning = tokio::spawn(async move { server.wechat.learn_serial(&serial).await });
    // A task that broke off has learnt nothing.
    learning.await.unwrap_or(false)
}

/// A notification of version 2. What is in it is sealed and not signed, so it is a hint and no
/// more: WeChat is asked.
async fn unsigned(server: &MerchantServer, body: &[u8]) -> Response {
    let Some(key) = &server.config.merchant.api_v2_key else {
        tracing::error!(
            event = "notification.unreadable",
            "a refund's notification of version 2 needs merchant.api_v2_key"
        );
        return xml(
            StatusCode::INTERNAL_SERVER_ERROR,
            v2::failure_body("no key"),
        );
    };
    let hint = match v2::open_refund_notification(body, key) {
        Ok(hint) => hint,
        Err(error) => {
            tracing::warn!(event = "notification.refused", %error, "a notification of version 2 is not believed");
            return xml(StatusCode::BAD_REQUEST, v2::failure_body("not understood"));
        }
    };
    // It has no id of its own; the same bytes are the same notification.
    let hash = digest(&SHA256, body);
    let evidence = Evidence::Notification {
        id: format!("v2-{}", hex(&hash.as_ref()[..16])),
        event_type: "V2.REFUND".to_owned(),
    };
    match refunds::record_hint(server, &evidence, &hint).await {
        Ok(()) => xml(StatusCode::OK, v2::success_body()),
        Err(error) => {
            unrecorded(&hint.out_refund_no, &error);
            let again = v2::failure_body("not recorded, tell again");
            xml(StatusCode::INTERNAL_SERVER_ERROR, again)
        }
    }
}

async fn record(server: &MerchantServer, notification: &Notification) -> Result<(), LedgerError> {
    let evidence = Evidence::Notification {
        id: notification.id.clone(),
        event_type: notification.event_type.clone(),
    };
    unread::report_left_out(notification);
    let json = &notification.plaintext;
    let told = match &notification.resource {
        NotifiedResource::Transaction(transaction) => Told::new((**transaction).clone(), json),
        NotifiedResource::Refund(notice) => {
            return refunds::record_notice(server, &evidence, notification, notice).await;
        }
        _ => return unread::keep(server, notification, "unknown_kind", None).await,
    };
    // The state says whether money came; the event only names the occasion.
    if !told.transaction.trade_state.is_paid() {
        let field = Some("trade_state");
        return unread::keep(server, notification, "not_paid", field).await;
    }
    settlement::record(server, &evidence, &told).await?;
    Ok(())
}

fn unrecorded(id: &str, error: &LedgerError) {
    tracing::error!(event = "notification.unrecorded", id, %error, "a notification could not be recorded");
}

fn report(error: &NotificationError) {
    match error {
        // WeChat tests us with wrong signatures now and then: no alarm.
        error if error.is_probe() => tracing::debug!("a signature probe was refused"),
        NotificationError::Signature(_) => {
            tracing::warn!(event = "notification.refused", %error, "a notification is not believed");
        }
        NotificationError::Opening { id, .. } => {
            tracing::error!(event = "notification.unreadable", id, %error, "a signed notification cannot be opened");
        }
        // It is reported where it is kept.
        _ => {}
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

fn xml(status: StatusCode, body: Bytes) -> Response {
    let kind = HeaderValue::from_static("text/xml; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}
