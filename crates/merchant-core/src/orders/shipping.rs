//! Shipping information of payments in mini-programs (小程序发货信息管理). A shipping is recorded before it
//! is sent, and each try sends the same bytes: WeChat answers a repetition with "nothing changed", so a
//! lost answer costs nothing. The token for the calls is WeChat's stable one, which leaves the merchant's
//! own tokens valid.

mod codes;
mod form;

use codes::{Meaning, meaning};
use jiff::Timestamp;
use jiff::tz::Offset;
use merchant_api::{
    ApiError, AttemptProduct, CreateShipping, ErrorCode, ShippingDetails, ShippingState,
};
use serde_json::{Value, json};

use crate::checkouts::find_by_order_no;
use crate::config::Secret;
use crate::due_work::backoff::retry_after_ms;
use crate::ledger::{Attempt, AttemptState, NewShipping, Shipping, ShippingBegun, timestamp};
use crate::payments::{Payments, Queue};
use crate::query::QueryError;
use crate::refusal::Refusal;
use crate::wechat::Application;

/// How long after a payment WeChat may not know it yet in this service.
const YOUNG_MS: i64 = 10 * 60_000;
/// A shipping that WeChat does not take for this long is given up.
const GIVEN_UP_MS: i64 = 3 * 24 * 3_600_000;

/// The result of a call.
#[derive(Clone, Debug)]
pub struct ShippingCreated {
    /// The shipping as it is now.
    pub details: ShippingDetails,
    /// Whether it is new.
    pub is_new: bool,
}

/// Records what was sent to the buyer of an order, or finds the same, and gives it to WeChat. If WeChat's
/// answer is not certain yet, due work completes it.
pub async fn create(
    payments: &Payments,
    order_no: &str,
    given: &CreateShipping,
) -> Result<ShippingCreated, Refusal> {
    let checked = form::check(given)?;
    let order = find_by_order_no(payments, order_no).await?.order;
    let _lock = payments.lock_order(order.id, Queue::Backend).await?;
    let attempts = payments.ledger.attempts(order.id).await?;
    let paid = attempts
        .into_iter()
        .find(|attempt| attempt.state == AttemptState::Paid)
        .ok_or_else(|| {
            let message = "the order is not paid, so nothing can be sent for it";
            Refusal::new(ErrorCode::OrderNotPaid, message)
        })?;
    application(payments, &paid)?;
    let request =
        serde_json::to_string(&checked).map_err(|error| Refusal::Internal(error.to_string()))?;
    let now_ms = payments.clock.now_ms();
    let new = NewShipping {
        order_id: order.id,
        request,
        created_ms: now_ms,
    };
    let body = |upload_ms| body(&checked, &paid, upload_ms).map_err(|_| ());
    // Checked before anything is recorded: WeChat requires both.
    body(now_ms).map_err(|()| {
        let message = "WeChat has not named the payer of this payment";
        Refusal::new(ErrorCode::ProductUnavailable, message)
    })?;
    let begun = payments
        .ledger
        .begin_shipping(&new, &|upload_ms| body(upload_ms).unwrap_or_default())
        .await?;
    let (shipping, is_new) = match begun {
        ShippingBegun::New(shipping) => (shipping, true),
        ShippingBegun::Same(shipping) => (shipping, false),
    };
    if shipping.state == ShippingState::Requested {
        let next = step(payments, &shipping, 0).await;
        if let Err(QueryError::Ledger(error)) = next {
            return Err(error.into());
        }
    }
    let shipping = payments
        .ledger
        .shipping(order.id, shipping.number)
        .await?
        .ok_or_else(|| Refusal::Internal("a shipping is gone from the ledger".to_owned()))?;
    if shipping.state == ShippingState::Refused {
        return Err(refused(&shipping));
    }
    Ok(ShippingCreated {
        details: details(shipping),
        is_new,
    })
}

/// Sends a shipping that WeChat has not confirmed. Returns when it is tried again, if at all.
pub(crate) async fn advance(
    payments: &Payments,
    subject: &str,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    let Some((order_id, number)) = Shipping::read_subject(subject) else {
        return Ok(None);
    };
    let _lock = payments.lock_order_for_due_work(order_id).await?;
    let Some(shipping) = payments.ledger.shipping(order_id, number).await? else {
        return Ok(None);
    };
    if shipping.state != ShippingState::Requested {
        return Ok(None);
    }
    step(payments, &shipping, tries + 1).await
}

/// A shipping in the private API's form.
pub(crate) fn details(shipping: Shipping) -> ShippingDetails {
    ShippingDetails {
        number: shipping.number,
        state: shipping.state,
        state_since: timestamp(shipping.state_ms),
        upload_time: upload_time(shipping.upload_ms),
        given: shipping.request,
        wechat_code: shipping.errcode.map(|errcode| errcode.to_string()),
        wechat_message: shipping.errmsg,
    }
}

/// The mini-program that the order was paid in, with its secret.
fn application<'a>(payments: &'a Payments, paid: &'a Attempt) -> Result<Application<'a>, Refusal> {
    let unavailable = |message: &str| Refusal::new(ErrorCode::ProductUnavailable, message);
    if paid.is_combined {
        return Err(unavailable(
            "the order is a combined one: WeChat has another call for its shippings, which this server does not make",
        ));
    }
    if paid.product != AttemptProduct::MiniProgram {
        return Err(unavailable(
            "the order was not paid in a mini-program: WeChat takes no shipping of it",
        ));
    }
    let merchant = &payments.config.merchant;
    let appid = paid.parties.payer_appid.as_str();
    let mut programs = merchant
        .mini_program
        .iter()
        .chain(&merchant.other_mini_programs);
    let secret: Option<&Secret> = programs
        .find(|program| program.appid == appid)
        .and_then(|program| program.secret.as_ref());
    let secret = secret.ok_or_else(|| {
        unavailable(
            "the configuration has no secret of the mini-program that the order was paid in",
        )
    })?;
    Ok(Application { appid, secret })
}

/// WeChat has not named the payer or the payment.
struct Unnamed;

/// The exact bytes of a shipping.
fn body(given: &CreateShipping, paid: &Attempt, upload_ms: i64) -> Result<Vec<u8>, Unnamed> {
    let is_own = paid.parties.payer_appid == paid.parties.appid;
    let paid_by = &paid.paid_by;
    let openid = if is_own {
        &paid_by.openid
    } else {
        &paid_by.sub_openid
    };
    let openid = openid.as_ref().ok_or(Unnamed)?;
    let transaction_id = paid.transaction_id.as_ref().ok_or(Unnamed)?;
    let parcels: Vec<Value> = given
        .shipping_list
        .iter()
        .map(|parcel| {
            let mut json = json!({ "item_desc": parcel.item_desc });
            let mut contact = json!({});
            for (name, value) in [
                ("tracking_no", &parcel.tracking_no),
                ("express_company", &parcel.express_company),
            ] {
                if let Some(text) = value {
                    json[name] = text.as_str().into();
                }
            }
            for (name, value) in [
                ("receiver_contact", &parcel.receiver_contact),
                ("consignor_contact", &parcel.consignor_contact),
            ] {
                if let Some(text) = value {
                    contact[name] = text.as_str().into();
                }
            }
            if contact
                .as_object()
                .is_some_and(|contact| !contact.is_empty())
            {
                json["contact"] = contact;
            }
            json
        })
        .collect();
    let mut json = json!({
        // 2: by WeChat's number of the payment.
        "order_key": { "order_number_type": 2, "transaction_id": transaction_id.as_str() },
        "logistics_type": given.logistics_type.number(),
        "delivery_mode": given.delivery_mode.number(),
        "shipping_list": parcels,
        "upload_time": upload_time(upload_ms),
        "payer": { "openid": openid.as_str() },
    });
    if let Some(is_all) = given.is_all_delivered {
        json["is_all_delivered"] = is_all.into();
    }
    Ok(json.to_string().into_bytes())
}

/// WeChat's form of a time, with milliseconds: a later shipping must have a later one.
fn upload_time(upload_ms: i64) -> String {
    let Ok(at) = Timestamp::from_millisecond(upload_ms) else {
        return String::new();
    };
    let local = Offset::constant(8).to_datetime(at);
    format!("{}+08:00", local.strftime("%Y-%m-%dT%H:%M:%S.%3f"))
}

/// One try. Its result is in the ledger when this returns.
async fn step(
    payments: &Payments,
    shipping: &Shipping,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    let ledger = &payments.ledger;
    let now_ms = payments.clock.now_ms();
    let paid = ledger.attempts(shipping.order_id).await?;
    let paid = paid
        .into_iter()
        .find(|attempt| attempt.state == AttemptState::Paid);
    let Some(paid) = paid else {
        return Ok(None);
    };
    let again_ms = now_ms + retry_after_ms(tries);
    let application = match application(payments, &paid) {
        Ok(application) => application,
        Err(refusal) => {
            let message = refusal.api_error().message;
            ledger
                .end_shipping(
                    shipping,
                    ShippingState::Refused,
                    None,
                    Some(&message),
                    now_ms,
                )
                .await?;
            return Ok(None);
        }
    };
    let answered = payments
        .wechat
        .upload_shipping(application, &shipping.body)
        .await;
    let (errcode, message) = match answered {
        Ok(answer) => (Some(answer.errcode), answer.errmsg),
        Err(error) => (None, error.to_string()),
    };
    let is_young = now_ms < shipping.created_ms + YOUNG_MS;
    let meaning = match errcode.map(meaning) {
        Some(Meaning::LaterIfYoung) if is_young => Meaning::Later,
        Some(Meaning::LaterIfYoung) => Meaning::Refused(
            "WeChat does not know the payment: it may not be one that is to be shipped",
        ),
        Some(meaning) => meaning,
        None => Meaning::Later,
    };
    let is_given_up = now_ms >= shipping.created_ms + GIVEN_UP_MS;
    match meaning {
        Meaning::Taken => {
            ledger
                .end_shipping(shipping, ShippingState::Uploaded, None, None, now_ms)
                .await?;
            tracing::info!(
                event = "shipping.uploaded",
                out_trade_no = paid.out_trade_no.as_str(),
                number = shipping.number,
                "WeChat has the shipping of an order"
            );
            Ok(None)
        }
        Meaning::Later if !is_given_up => {
            ledger.note_shipping(shipping, errcode, &message).await?;
            Ok(Some(again_ms))
        }
        Meaning::Refused(advice) => refuse(payments, shipping, errcode, &message, advice).await,
        Meaning::Later | Meaning::LaterIfYoung => {
            let advice = "WeChat has not taken it for three days: send the call again";
            refuse(payments, shipping, errcode, &message, advice).await
        }
    }
}

async fn refuse(
    payments: &Payments,
    shipping: &Shipping,
    errcode: Option<i64>,
    message: &str,
    advice: &str,
) -> Result<Option<i64>, QueryError> {
    let now_ms = payments.clock.now_ms();
    let message = format!("{message} ({advice})");
    tracing::error!(
        event = "shipping.refused",
        number = shipping.number,
        errcode,
        message,
        "WeChat does not take the shipping of an order"
    );
    payments
        .ledger
        .end_shipping(
            shipping,
            ShippingState::Refused,
            errcode,
            Some(&message),
            now_ms,
        )
        .await?;
    Ok(None)
}

fn refused(shipping: &Shipping) -> Refusal {
    let reason = shipping.errmsg.as_deref().unwrap_or("no reason given");
    let mut error = ApiError::new(
        ErrorCode::WechatRefused,
        format!("WeChat does not take the shipping: {reason}"),
    );
    error.wechat_code = shipping.errcode.map(|errcode| errcode.to_string());
    Refusal::from(error)
}

#[cfg(test)]
mod tests {
    use super::upload_time;

    #[test]
    fn the_time_has_milliseconds_and_beijings_offset() {
        assert_eq!(
            upload_time(1_671_082_175_120),
            "2022-12-15T13:29:35.120+08:00"
        );
    }
}
