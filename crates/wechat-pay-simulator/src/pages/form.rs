//! Values of the pages' forms and queries. They are untrusted text.

use url::form_urlencoded;

use crate::ledger::Outcome;

/// The outcome that a cashier's form carries.
pub(super) fn outcome_of(form: &[u8]) -> Option<Outcome> {
    match value_of(form, "outcome")?.as_str() {
        "success" => Some(Outcome::Success),
        "cancel" => Some(Outcome::Cancel),
        "fail" => Some(Outcome::Fail),
        _ => None,
    }
}

/// The text that the buyer sees afterwards.
pub(super) fn outcome_text(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Success => ("支付成功", "Paid."),
        Outcome::Cancel => ("已取消支付", "Cancelled. Nothing was paid."),
        Outcome::Fail => ("支付失败", "The payment failed. Nothing was paid."),
    }
}

/// One value of a form or a query.
pub(super) fn value_of(form: &[u8], name: &str) -> Option<String> {
    form_urlencoded::parse(form)
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
