//! Payments by the buyer's code (`micropay`), their reversal, and the openid behind a code. The
//! order is the same [`CodePayOrder`] as that of version 3.
//!
//! There is no notification. While the buyer types the password, WeChat answers `USERPAYING`; what
//! to do then is decided here as a function of the answers and of the time that has passed
//! ([`CodePayStep`]). The caller sends and waits.

use std::net::IpAddr;

use payment_values::{InvalidField, OutTradeNo, check_text};
use serde_json::Value;

use super::answer::{AnswerError, ReadAnswer};
use super::details::{detail_text, profit_sharing};
use super::fields::VerifiedFields;
use super::request::Request;
use super::route::Route;
use crate::json::Unreadable;
use crate::orders::account::Orderer;
use crate::orders::code_pay::{AuthCode, CodePayOrder};
use crate::orders::order::NO_CREDIT;
use crate::orders::transaction::{TradeState, Transaction};
use crate::retry::{Operation, RetryWith};

/// Takes a payment by the buyer's code; answered with a [`Transaction`]. `created_from` is the
/// address of the till, if the order's scene names none.
pub fn code_pay(order: &CodePayOrder, created_from: IpAddr) -> Result<Request, InvalidField> {
    order.validate_common()?;
    let mut request = Request::of(Route::MicroPay, &order.orderer)?;
    request.set("body", order.description.as_str());
    request.set("out_trade_no", order.out_trade_no.as_str());
    request.set("total_fee", order.total.get().to_string());
    request.set("auth_code", order.auth_code.as_str());
    let device_ip = order.scene.device_ip.clone();
    let created_from = device_ip.unwrap_or_else(|| created_from.to_string());
    request.set("spbill_create_ip", created_from);
    request.set_optional("device_info", order.scene.device_id.clone());
    if let Some(attach) = &order.attach {
        check_text("attach", attach, 127)?;
        request.set("attach", attach.clone());
    }
    request.set_optional("goods_tag", order.goods_tag.clone());
    request.set_optional("limit_pay", order.no_credit.then_some(NO_CREDIT));
    request.set_optional(
        "receipt",
        (order.support_fapiao == Some(true)).then_some("Y"),
    );
    let detail = order.detail.as_ref().map(detail_text).transpose()?;
    request.set_optional("detail", detail);
    let shares = order.settle_info.as_ref().and_then(profit_sharing);
    request.set_optional("profit_sharing", shares);
    if let Some(id) = &order.scene.store_id {
        let scene = serde_json::json!({"store_info": {"id": id}});
        request.set("scene_info", Value::to_string(&scene));
    }
    Ok(request)
}

/// Reverses a payment by code: WeChat closes an unpaid order and refunds a paid one. Answered with
/// [`Reversed`]. It needs the merchant's certificate, works for seven days, and not in the first
/// [`MIN_AGE_TO_REVERSE_S`] seconds after the payment was requested.
pub fn reverse(orderer: &Orderer, out_trade_no: &OutTradeNo) -> Result<Request, InvalidField> {
    let mut request = Request::of(Route::Reverse, orderer)?;
    request.set("out_trade_no", out_trade_no.as_str());
    Ok(request)
}

/// Finds the openid behind a buyer's code; answered with [`CodeOwner`]. After that only this
/// merchant can be paid with the code.
pub fn code_owner(orderer: &Orderer, code: &AuthCode) -> Result<Request, InvalidField> {
    let mut request = Request::of(Route::AuthCodeToOpenId, orderer)?;
    request.set("auth_code", code.as_str());
    Ok(request)
}

/// The answer to a reversal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversed {
    /// Whether WeChat asks for the same call again: the order is not reversed yet.
    pub recall: bool,
}

/// The buyer behind a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeOwner {
    /// The buyer under the application that asks.
    pub openid: String,
    /// Partner mode: the buyer under the sub-merchant's application.
    pub sub_openid: Option<String>,
}

impl ReadAnswer for Reversed {
    /// An order counts as reversed only if WeChat says that no further call is needed.
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        match answer.fields().get("recall") {
            Some("N") | None => Ok(Self { recall: false }),
            Some("Y") => Ok(Self { recall: true }),
            Some(_) => Err(Unreadable::unknown_word("recall")),
        }
    }
}

impl ReadAnswer for CodeOwner {
    fn read_answer(answer: &VerifiedFields) -> Result<Self, Unreadable> {
        let fields = answer.fields();
        Ok(Self {
            openid: fields.text("openid")?,
            sub_openid: fields.optional("sub_openid"),
        })
    }
}

/// The pause between two queries, in seconds.
pub const QUERY_PAUSE_S: u32 = 5;
/// How long the buyer may take to type the password, in seconds.
pub const PASSWORD_TIME_S: u32 = 30;
/// The time after the request for a payment in which WeChat advises against a reversal, in seconds.
pub const MIN_AGE_TO_REVERSE_S: u32 = 15;

/// What the merchant does next about a payment by code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodePayStep {
    /// The order is paid.
    Paid,
    /// Query the order, after so many seconds.
    Query {
        /// The pause in seconds.
        after_s: u32,
    },
    /// Reverse the order, after so many seconds: whether it will be paid is unknown.
    Reverse {
        /// The pause in seconds.
        after_s: u32,
    },
    /// Refused, reversed or failed: no money moves under this number any more.
    Ended,
    /// A reversal was refused for good. A person has to look at the order; until then it may be
    /// paid.
    Unresolved,
}

impl CodePayStep {
    /// After the answer to the payment; `Err(None)` if none came.
    #[must_use]
    pub fn after_payment(answer: Result<&Transaction, Option<&AnswerError>>) -> Self {
        const QUERY: CodePayStep = CodePayStep::Query {
            after_s: QUERY_PAUSE_S,
        };
        match answer {
            Ok(transaction) if transaction.trade_state.is_paid() => Self::Paid,
            Ok(_) | Err(None) => QUERY,
            Err(Some(error)) => match error.retry_with(Operation::CodePay) {
                RetryWith::QueryFirst => QUERY,
                _ if error.may_have_taken_effect() => QUERY,
                _ => Self::Ended,
            },
        }
    }

    /// After the answer to a query, `waited_s` seconds after the payment was requested; `Err` if
    /// none came or it was an error.
    #[must_use]
    pub fn after_query(answer: Result<&Transaction, Option<&AnswerError>>, waited_s: u32) -> Self {
        match answer.map(|transaction| &transaction.trade_state) {
            Ok(state) if state.is_paid() => return Self::Paid,
            Ok(TradeState::Closed | TradeState::Revoked | TradeState::PayError) => {
                return Self::Ended;
            }
            // An unknown order may still be on its way to WeChat.
            Ok(_) | Err(_) => {}
        }
        if waited_s < PASSWORD_TIME_S {
            return Self::Query {
                after_s: QUERY_PAUSE_S,
            };
        }
        Self::Reverse {
            after_s: MIN_AGE_TO_REVERSE_S.saturating_sub(waited_s),
        }
    }

    /// After the answer to a reversal; `Err(None)` if none came.
    #[must_use]
    pub fn after_reversal(answer: Result<&Reversed, Option<&AnswerError>>) -> Self {
        let again = Self::Reverse {
            after_s: QUERY_PAUSE_S,
        };
        match answer {
            Ok(Reversed { recall: false }) => Self::Ended,
            Ok(Reversed { recall: true }) | Err(None) => again,
            Err(Some(error)) if error.is_retryable() => again,
            Err(Some(_)) => Self::Unresolved,
        }
    }
}

#[cfg(test)]
mod tests;
