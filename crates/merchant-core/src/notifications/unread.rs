//! Handles a notification that WeChat signed but that cannot be read, or that this version does not
//! handle: it is stored whole for a person, logged with its id, its number and the field's path,
//! and WeChat is queried about its number. Its content never reaches a log.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;
use wechat_pay::v2::PaymentNotificationError;
use wechat_pay::{Notification, NotificationError, UnreadNotification, lower_hex, read_json};

use super::other_merchants::is_another_merchants;
use crate::ledger::{LedgerError, NotificationToKeep};
use crate::payments::Payments;

/// Stores a decrypted notification that this version does not handle. WeChat will not send it
/// again. `reason` is one word; `field` is the path of the field that is not handled.
pub(crate) async fn keep(
    payments: &Payments,
    notification: &Notification,
    reason: &'static str,
    field: Option<&str>,
) -> Result<(), LedgerError> {
    let kept = to_keep(
        notification.id.clone(),
        notification.event_type.clone(),
        &notification.plaintext,
        reason,
        field.map(str::to_owned),
    );
    let now_ms = payments.clock.now_ms();
    let is_new = payments
        .ledger
        .keep_whole_notification(&kept, true, now_ms)
        .await?;
    if is_new {
        tracing::error!(
            event = "notification.kept",
            id = kept.id,
            event_type = kept.event_type,
            number = number(&kept),
            reason,
            field = kept.field,
            "a notification that this version has nothing to do for is kept for a person"
        );
    }
    Ok(())
}

/// Stores a notification that cannot be read. It is answered with an error, so that WeChat sends it
/// again: a later version may understand it. Only signed notifications are stored.
pub(crate) async fn keep_refused(payments: &Payments, error: &NotificationError, body: &[u8]) {
    let of_inside = |unread: &UnreadNotification, reason| {
        to_keep(
            unread.id.clone(),
            unread.event_type.clone(),
            &unread.plaintext,
            reason,
            Some(unread.problem.field.clone()),
        )
    };
    if let NotificationError::Resource(unread) | NotificationError::Contradiction(unread) = error
        && is_another_merchants(payments, &unread.plaintext)
    {
        return;
    }
    let kept = match error {
        NotificationError::Resource(unread) => of_inside(unread, "unreadable"),
        NotificationError::Contradiction(unread) => of_inside(unread, "contradiction"),
        NotificationError::Envelope(problem) => {
            let id = format!("body-{}", lower_hex(&digest(&SHA256, body).as_ref()[..16]));
            let field = Some(problem.field.clone());
            to_keep(id, String::new(), body, "unreadable", field)
        }
        // It is unsigned, or the APIv3 key does not decrypt it: nothing can be stored.
        _ => return,
    };
    keep_for_a_person(payments, &kept, error).await;
}

/// The same for a notification of version 2, with its fields as JSON.
pub(crate) async fn keep_refused_v2(
    payments: &Payments,
    id: &str,
    event_type: &str,
    json: &str,
    field: String,
    error: &PaymentNotificationError,
) {
    let kept = to_keep(
        id.to_owned(),
        event_type.to_owned(),
        json.as_bytes(),
        "unreadable",
        Some(field),
    );
    keep_for_a_person(payments, &kept, error).await;
}

async fn keep_for_a_person(
    payments: &Payments,
    kept: &NotificationToKeep,
    error: &(dyn std::error::Error + Sync),
) {
    tracing::error!(
        event = "notification.unreadable",
        id = kept.id,
        event_type = kept.event_type,
        number = number(kept),
        field = kept.field,
        %error,
        "a signed notification cannot be read; it is kept for a person"
    );
    let now_ms = payments.clock.now_ms();
    if let Err(error) = payments
        .ledger
        .keep_whole_notification(kept, false, now_ms)
        .await
    {
        tracing::error!(event = "notification.unrecorded", id = kept.id, %error, "a notification could not be kept");
    }
}

/// Logs the optional fields that were not understood. The rest of the notification has its effect.
pub(crate) fn report_left_out(notification: &Notification) {
    if notification.left_out.is_empty() {
        return;
    }
    let kept = numbers(&notification.plaintext);
    tracing::warn!(
        event = "notification.left_out",
        id = notification.id,
        event_type = notification.event_type,
        number = kept.out_refund_no.or(kept.out_trade_no),
        fields = notification.left_out.join(" "),
        "optional fields of a notification are not in the documented form"
    );
}

/// The numbers that a notification names, as far as it can be read.
#[derive(Default)]
struct Named {
    out_trade_no: Option<String>,
    transaction_id: Option<String>,
    out_refund_no: Option<String>,
    refund_id: Option<String>,
    sub_mchid: Option<String>,
}

fn numbers(json: &[u8]) -> Named {
    let json: Value = read_json(json).map_or(Value::Null, |read| read.value);
    let text = |name: &str| {
        let text = json.get(name)?.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    Named {
        out_trade_no: text("out_trade_no").or_else(|| text("combine_out_trade_no")),
        transaction_id: text("transaction_id"),
        out_refund_no: text("out_refund_no"),
        refund_id: text("refund_id"),
        // The second name is version 2's.
        sub_mchid: text("sub_mchid").or_else(|| text("sub_mch_id")),
    }
}

fn to_keep(
    id: String,
    event_type: String,
    content: &[u8],
    reason: &'static str,
    field: Option<String>,
) -> NotificationToKeep {
    let Named {
        out_trade_no,
        transaction_id,
        out_refund_no,
        refund_id,
        sub_mchid,
    } = numbers(content);
    let resource = std::str::from_utf8(content).map_or_else(
        // A body that is not text is stored all the same.
        |_| serde_json::json!({ "hex": lower_hex(content) }).to_string(),
        str::to_owned,
    );
    NotificationToKeep {
        id,
        event_type,
        reason,
        field,
        out_trade_no,
        transaction_id,
        out_refund_no,
        refund_id,
        sub_mchid,
        resource,
    }
}

fn number(kept: &NotificationToKeep) -> Option<&str> {
    let number = kept.out_refund_no.as_ref().or(kept.out_trade_no.as_ref());
    number.map(String::as_str)
}
