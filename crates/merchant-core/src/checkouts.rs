//! The state of an order, as a page and as the merchant's backend read it. The order is found by
//! token or number and read from the ledger, and a poll is held until something changes. Nothing
//! here starts or ends an attempt.

mod answer;
mod lookup;
mod order_details;
mod poll;
mod receipt;
mod refund_details;

pub(crate) use answer::{POLL_AFTER_MS, answer, is_fresh};
pub use answer::{logo, payee};
pub(crate) use lookup::{find, find_by_order_no, reread};
use merchant_api::CheckoutAnswer;
pub use order_details::Payers;
pub(crate) use order_details::{attempt_details, order_details};
pub(crate) use poll::query_if_due;
pub use poll::{HeldPoll, Poll, begin_poll, end_poll, note_shown};
pub use receipt::{ReceiptQuery, of_receipt};
pub(crate) use refund_details::{all_refund_details, refund_details};

use crate::ledger::Checkout;
use crate::payments::Payments;
use crate::refusal::Refusal;

/// The state of the checkout of a token. The `action` in the answer is a code that is still valid,
/// because a code may be shown to anyone.
pub async fn show(payments: &Payments, token: &str) -> Result<(Checkout, CheckoutAnswer), Refusal> {
    let checkout = find(payments, token).await?;
    let answer = answer(payments, &checkout, None);
    Ok((checkout, answer))
}

/// The buyer says "I have paid": queries WeChat, unless that was done a moment ago.
pub async fn check(payments: &Payments, token: &str) -> Result<(), Refusal> {
    let checkout = find(payments, token).await?;
    query_if_due(payments, checkout.order.id).await?;
    Ok(())
}
