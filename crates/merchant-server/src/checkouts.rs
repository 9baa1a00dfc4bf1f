//! Checkouts as a page reads them: found by token or number, answered from the ledger, held until
//! something changes. Nothing here starts or ends an attempt.

mod answer;
mod poll;

pub(crate) use answer::{POLL_AFTER_MS, answer, is_fresh};
use merchant_api::ErrorCode;
pub(crate) use poll::{ask, read};

use crate::error::Failure;
use crate::ledger::Checkout;
use crate::payments::MerchantServer;

/// The checkout of a token.
pub(crate) async fn find(server: &MerchantServer, token: &str) -> Result<Checkout, Failure> {
    server
        .ledger
        .checkout_by_token(token)
        .await?
        .ok_or_else(|| Failure::new(ErrorCode::CheckoutUnknown, "no checkout has this token"))
}

/// The checkout of an order that was there a moment ago.
pub(crate) async fn reread(server: &MerchantServer, order_id: i64) -> Result<Checkout, Failure> {
    server
        .ledger
        .checkout(order_id)
        .await?
        .ok_or_else(|| Failure::Internal("an order is gone from the ledger".to_owned()))
}
