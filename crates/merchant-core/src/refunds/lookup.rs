//! A refund by its number, and as the backend sees it.

use merchant_api::{ErrorCode, RefundDetails};

use crate::checkouts::{refund_details, reread};
use crate::ledger::Refund;
use crate::payments::Payments;
use crate::refusal::Refusal;

/// The refund with this number.
pub(super) async fn find(payments: &Payments, refund_no: &str) -> Result<Refund, Refusal> {
    payments
        .ledger
        .refund(refund_no)
        .await?
        .ok_or_else(|| Refusal::new(ErrorCode::RefundUnknown, "no refund has this number"))
}

pub(super) async fn shown(payments: &Payments, refund: Refund) -> Result<RefundDetails, Refusal> {
    let order = reread(payments, refund.order_id).await?.order;
    Ok(refund_details(&order.order_no, refund))
}
