//! `/v1/pay`: the payment service (wxpayserver) for backends that were written against such a
//! service of their own. Forms in WeChat's version 2 names come in; `{data}` or `{error}` goes out.
//! The routes stand on the same orders and attempts as `/v1/orders` and decide nothing about money.
//! They exist only where `[wxpay_server]` is configured.

mod answer;
mod call;
mod failure;
mod form;
mod order;

use axum::Json;
use call::Call;
use failure::PayFailure;
use form::OrderNumbers;
use merchant_api::{AttemptProduct, ErrorCode, OrderDetails, StartAttempt, StartedAttempt};
use merchant_core::orders::{self, Payers};
use merchant_core::{Payments, Refusal, attempts};
use order::PayOrder;
use serde_json::{Value, json};

type Answer = Result<Json<Value>, PayFailure>;

/// `POST /v1/pay/params`: orders, and answers with the six parameters of WeChat's cashier (JSAPI).
pub(crate) async fn pay_params(call: Call) -> Answer {
    let payments = call.payments();
    let wanted = PayOrder::for_params(&call.form()?)?;
    let started = start(payments, &wanted).await?;
    let parameters = started.jsapi.ok_or_else(no_link)?;
    Ok(data(&json!(parameters)))
}

/// `POST /v1/pay/unified`: orders, and answers with the link of the trade type.
pub(crate) async fn unified(call: Call) -> Answer {
    let payments = call.payments();
    let wanted = PayOrder::for_unified(&call.form()?)?;
    let started = start(payments, &wanted).await?;
    let unified = answer::unified(payments.config(), wanted.product, started);
    Ok(data(&unified.ok_or_else(no_link)?))
}

/// `POST /v1/pay/queryOrder`
pub(crate) async fn query_order(call: Call) -> Answer {
    let payments = call.payments();
    let numbers = OrderNumbers::of(&call.form()?)?;
    let order = orders::show_after_query(payments, &numbers.out_trade_no).await?;
    refuse_other_payment(&order, &numbers)?;
    Ok(data(&answer::order(payments.config(), &order)))
}

/// `POST /v1/pay/closeOrder`: a repeated call has the same answer.
pub(crate) async fn close_order(call: Call) -> Answer {
    let payments = call.payments();
    let numbers = OrderNumbers::of(&call.form()?)?;
    let order = orders::show(payments, &numbers.out_trade_no, Payers::Hidden).await?;
    refuse_other_payment(&order, &numbers)?;
    orders::close(payments, &numbers.out_trade_no).await?;
    Ok(data(&answer::closed(payments.config(), &order)))
}

/// Creates the order or finds the same one, and starts its attempt or continues it.
async fn start(payments: &Payments, wanted: &PayOrder) -> Result<StartedAttempt, PayFailure> {
    let config = payments.config();
    wanted.refuse_what_is_not_offered(config)?;
    let request = wanted.create_order(config);
    let (created, is_new) =
        orders::create_with_notify_url(payments, &request, &wanted.notify_url).await?;
    let after = if is_new {
        None
    } else {
        let order = orders::show(payments, created.order_no.as_str(), Payers::Hidden).await?;
        order.attempts.last().map(|attempt| attempt.number)
    };
    let attempt = StartAttempt {
        product: wanted.product,
        after,
        appid: None,
        payer: None,
        code: None,
        auth_code: None,
        scene_info: None,
        payer_client_ip: (wanted.product == AttemptProduct::H5)
            .then(|| wanted.spbill_create_ip.clone()),
        return_url: None,
    };
    let started = attempts::start_by_backend(payments, created.order_no.as_str(), attempt).await?;
    answer::refuse_ended(&started)?;
    Ok(started)
}

/// `transaction_id` is optional. If it is given, it must be that of the order's payment.
fn refuse_other_payment(order: &OrderDetails, numbers: &OrderNumbers) -> Result<(), Refusal> {
    match (&numbers.transaction_id, &order.transaction_id) {
        (None, _) => Ok(()),
        (Some(named), Some(known)) if named == known => Ok(()),
        (Some(_), _) => Err(Refusal::new(
            ErrorCode::OrderUnknown,
            "no payment of this order has this transaction_id",
        )),
    }
}

/// An open attempt of a product with a link always has it.
fn no_link() -> Refusal {
    Refusal::Internal("a started attempt has no link".to_owned())
}

fn data(value: &Value) -> Json<Value> {
    Json(json!({ "data": value }))
}
