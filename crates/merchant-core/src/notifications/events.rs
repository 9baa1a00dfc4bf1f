//! Notifications that are neither a payment's nor a refund's: invoices (电子发票), complaints, coupons,
//! profit sharing, and whatever WeChat adds later. They are handed to the backend whole, as the webhook
//! `wechat.event`; the outbox keeps them. Nothing in them changes a payment or a refund.

use merchant_api::WechatEventData;
use serde_json::{Value, json};
use wechat_pay::{Notification, lower_hex, read_json};

use super::unread;
use crate::ledger::{LedgerError, NotifiedEvent};
use crate::mismatches::{mask_openids, mask_openids_in_text};
use crate::payments::Payments;

/// Records an event and its message, once for WeChat's id. An event that names an order or a refund by a
/// number of the merchant's may be about money in a form that this version does not know: it is kept for
/// a person too, and WeChat is queried about the number.
pub(super) async fn hand_on(
    payments: &Payments,
    notification: &Notification,
    original_type: &str,
) -> Result<(), LedgerError> {
    let resource = content(&notification.plaintext);
    let may_be_money = ["out_trade_no", "combine_out_trade_no", "out_refund_no"]
        .iter()
        .any(|number| resource.get(number).is_some_and(Value::is_string));
    let event = NotifiedEvent {
        for_all: data(
            notification,
            original_type,
            without_payers(resource.clone()),
        ),
        with_payer: data(notification, original_type, resource),
        is_kept: may_be_money,
    };
    let now_ms = payments.clock.now_ms();
    if payments.ledger.record_event(&event, now_ms).await? {
        tracing::info!(
            event = "wechat.event",
            id = notification.id,
            event_type = notification.event_type,
            original_type,
            "an event of WeChat is handed to the backend"
        );
    }
    if may_be_money {
        unread::keep(payments, notification, "unknown_kind", None).await?;
    }
    Ok(())
}

/// The content as JSON. What is no JSON object is handed on as a text.
fn content(plaintext: &[u8]) -> Value {
    if let Ok(read) = read_json(plaintext) {
        return read.value;
    }
    std::str::from_utf8(plaintext).map_or_else(
        |_| json!({ "hex": lower_hex(plaintext) }),
        |text| Value::String(text.to_owned()),
    )
}

fn without_payers(resource: Value) -> Value {
    match resource {
        Value::String(text) => Value::String(mask_openids_in_text(&text)),
        resource => mask_openids(resource),
    }
}

fn data(notification: &Notification, original_type: &str, resource: Value) -> WechatEventData {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    WechatEventData {
        id: notification.id.clone(),
        event_type: notification.event_type.clone(),
        original_type: given(original_type),
        create_time: given(&notification.create_time),
        summary: given(&notification.summary),
        resource,
    }
}
