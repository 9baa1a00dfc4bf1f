//! Refund numbers that this server creates: those of the refunds of duplicate payments, which nobody else
//! may use, and those of the desk.

use payment_values::OutTradeNo;

use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::surroundings::unguessable;

const PREFIX: &str = "surplus@";
const DESK_PREFIX: &str = "desk-";
/// The characters of 128 random bits.
const RANDOM_LENGTH: usize = 22;

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

/// A new number for a refund at the desk. It is made with the form, so that a form that is sent again is
/// the same refund.
pub fn new_number(payments: &Payments) -> Result<String, Refusal> {
    let random = unguessable(payments.randomness.bytes()?);
    Ok(format!("{DESK_PREFIX}{random}"))
}

/// Whether a text has the form of such a number.
pub fn is_desk_number(text: &str) -> bool {
    text.strip_prefix(DESK_PREFIX).is_some_and(|random| {
        random.len() == RANDOM_LENGTH
            && random
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    })
}
