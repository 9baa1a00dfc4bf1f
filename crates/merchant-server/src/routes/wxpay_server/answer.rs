//! The `data` of the payment service's answers, in WeChat's names of version 2. Values come from the
//! order and its attempts; nothing is decided here.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use merchant_api::{AttemptProduct, ErrorCode, OrderDetails, OrderState, StartedAttempt};
use merchant_core::Refusal;
use merchant_core::config::Config;
use serde_json::{Map, Value, json};

use super::order::trade_type;

/// Refuses an order that is paid or closed: nothing can be started for it.
pub(super) fn refuse_ended(started: &StartedAttempt) -> Result<(), Refusal> {
    match started.state {
        OrderState::Open => Ok(()),
        OrderState::Paid => Err(Refusal::new(ErrorCode::OrderPaid, "the order is paid")),
        OrderState::Closed => Err(Refusal::new(
            ErrorCode::CheckoutExpired,
            "the order is closed",
        )),
    }
}

/// The answer to an order; `None` if the attempt has no link.
pub(super) fn unified(
    config: &Config,
    product: AttemptProduct,
    started: StartedAttempt,
) -> Option<Value> {
    let (name, link) = match product {
        AttemptProduct::Native => ("code_url", started.code_url?),
        AttemptProduct::H5 => ("mweb_url", started.h5_url?),
        AttemptProduct::App => ("prepay_id", started.app?.prepayid),
        _ => {
            let package = started.jsapi?.package;
            ("prepay_id", package.strip_prefix("prepay_id=")?.to_owned())
        }
    };
    let mut fields = account(config, product);
    fields.insert("result_code".to_owned(), "SUCCESS".into());
    fields.insert("trade_type".to_owned(), trade_type(product).into());
    fields.insert(name.to_owned(), link.into());
    Some(fields.into())
}

/// The answer to a query.
pub(super) fn order(config: &Config, order: &OrderDetails) -> Value {
    // The payment that settled the order: a second payment is refunded, and is not this order's.
    let paid = order.attempts.iter().find(|attempt| {
        attempt.transaction_id.is_some() && attempt.transaction_id == order.transaction_id
    });
    let product = paid
        .or(order.attempts.last())
        .map(|attempt| attempt.product);
    let mut fields = account(config, product.unwrap_or(AttemptProduct::Native));
    let (state, text) = trade_state(order);
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    set("out_trade_no", order.order_no.as_str().into());
    set("trade_state", state.into());
    set("trade_state_desc", text.into());
    set("total_fee", order.total_fen.get().into());
    set("fee_type", order.currency.clone().into());
    if let Some(product) = product {
        set("trade_type", trade_type(product).into());
    }
    if let Some(attempt) = paid {
        set("transaction_id", json!(attempt.transaction_id));
        set("bank_type", json!(attempt.bank_type));
        let payer_total = attempt.payer_total_fen.unwrap_or(order.total_fen);
        set("cash_fee", payer_total.get().into());
        set(
            "time_end",
            json!(attempt.success_time.as_deref().and_then(time_end)),
        );
    }
    // A field without a value is absent, as in WeChat's answers.
    fields.retain(|_, value| !value.is_null());
    fields.into()
}

/// The answer to a close.
pub(super) fn closed(config: &Config, order: &OrderDetails) -> Value {
    let product = order.attempts.last().map(|attempt| attempt.product);
    let mut fields = account(config, product.unwrap_or(AttemptProduct::Native));
    fields.insert("result_code".to_owned(), "SUCCESS".into());
    fields.insert("out_trade_no".to_owned(), order.order_no.as_str().into());
    fields.into()
}

/// The merchant, and the application that orders this product.
fn account(config: &Config, product: AttemptProduct) -> Map<String, Value> {
    let merchant = &config.merchant;
    let appid = match product {
        AttemptProduct::App => merchant.app_appid.as_ref(),
        AttemptProduct::MiniProgram => merchant.mini_program.as_ref().map(|mini| &mini.appid),
        _ => None,
    };
    let appid = appid.unwrap_or(&merchant.appid);
    let mut fields = Map::new();
    fields.insert("appid".to_owned(), appid.as_str().into());
    fields.insert("mch_id".to_owned(), merchant.key.mchid().into());
    fields
}

/// The order's state in WeChat's word, and as a text for people.
fn trade_state(order: &OrderDetails) -> (&'static str, &'static str) {
    match order.state {
        OrderState::Open => ("NOTPAY", "订单未支付"),
        OrderState::Closed => ("CLOSED", "订单已关闭"),
        OrderState::Paid if order.refunded_fen.get() > 0 => ("REFUND", "订单发生过退款"),
        OrderState::Paid => ("SUCCESS", "支付成功"),
    }
}

/// A time of the contract (RFC 3339) in version 2's form: fourteen digits, in Beijing's time.
fn time_end(success_time: &str) -> Option<String> {
    let beijing = TimeZone::fixed(Offset::constant(8));
    let moment: Timestamp = success_time.parse().ok()?;
    Some(
        moment
            .to_zoned(beijing)
            .strftime("%Y%m%d%H%M%S")
            .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::time_end;

    #[test]
    fn a_time_is_written_as_digits_of_beijing() {
        for (time, digits) in [
            ("2026-11-21T17:20:10+08:00", Some("20261121172010")),
            ("2026-11-21T23:59:59Z", Some("20261122075959")),
            ("yesterday", None),
        ] {
            assert_eq!(time_end(time).as_deref(), digits, "{time}");
        }
    }
}
