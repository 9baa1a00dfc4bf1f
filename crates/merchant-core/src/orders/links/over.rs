//! Why a payment link makes no order, as a refusal with a code of its own.

use merchant_api::ErrorCode;

use crate::ledger::LinkOver;
use crate::refusal::Refusal;

/// The refusal of a link that is over.
pub(in crate::orders) fn refusal(over: LinkOver) -> Refusal {
    let (code, reason) = match over {
        LinkOver::Unknown => (ErrorCode::LinkUnknown, "no payment link has this id"),
        LinkOver::Disabled => (ErrorCode::LinkDisabled, "the payment link is disabled"),
        LinkOver::Expired => (
            ErrorCode::LinkExpired,
            "the time of the payment link is over",
        ),
        LinkOver::UsedUp => (
            ErrorCode::LinkUsedUp,
            "the payment link was paid as often as it may be",
        ),
        LinkOver::InUse => (
            ErrorCode::LinkInUse,
            "open orders hold all uses that the payment link has left",
        ),
    };
    Refusal::new(code, reason)
}
