//! Finds a checkout by its token, its order's id or its order's number.

use merchant_api::ErrorCode;

use crate::ledger::Checkout;
use crate::payments::Payments;
use crate::refusal::Refusal;

/// The checkout of a token.
pub(crate) async fn find(payments: &Payments, token: &str) -> Result<Checkout, Refusal> {
    payments
        .ledger
        .checkout_by_token(token)
        .await?
        .ok_or_else(|| Refusal::new(ErrorCode::CheckoutUnknown, "no checkout has this token"))
}

/// The checkout of an order that existed a moment ago.
pub(crate) async fn reread(payments: &Payments, order_id: i64) -> Result<Checkout, Refusal> {
    payments
        .ledger
        .checkout(order_id)
        .await?
        .ok_or_else(|| Refusal::Internal("an order is gone from the ledger".to_owned()))
}

/// The checkout of the order with this number.
pub(crate) async fn find_by_order_no(
    payments: &Payments,
    order_no: &str,
) -> Result<Checkout, Refusal> {
    payments
        .ledger
        .checkout_by_order_no(order_no)
        .await?
        .ok_or_else(|| Refusal::new(ErrorCode::OrderUnknown, "no order has this number"))
}
