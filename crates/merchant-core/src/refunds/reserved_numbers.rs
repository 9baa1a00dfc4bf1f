//! Refund numbers that only this server creates: those of the refunds of duplicate payments.

use payment_values::OutTradeNo;

const PREFIX: &str = "surplus@";

/// Whether a refund number has the form that only this server uses.
pub(super) fn is_reserved(number: &str) -> bool {
    number.starts_with(PREFIX)
}

/// At most 32 characters of the payment's number and a suffix: below WeChat's 64.
pub(super) fn number(out_trade_no: &OutTradeNo, before: usize) -> String {
    match before {
        0 => format!("{PREFIX}{out_trade_no}"),
        before => format!("{PREFIX}{out_trade_no}@{}", before + 1),
    }
}
