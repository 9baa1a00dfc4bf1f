//! Duplicate payments: the second payment of an order is refunded automatically, that of a combined order
//! sub-order by sub-order. The refund's
//! number is derived from the payment's, so that it is one refund however often this starts. Only
//! this server can send it, so it is never abandoned: a refund that WeChat keeps refusing is sent
//! again each day.

use merchant_api::{RefundOrigin, RefundState};
use wechat_pay::{Fen, OutRefundNo};

use super::request;
use super::reserved_numbers::number;
use crate::ledger::{AttemptState, Charge, LedgerError, Refund, RefundBegun};
use crate::payments::Payments;
use crate::query::{QueryError, course};

/// Refunds what is left of a duplicate payment, unless a refund of it is in progress.
pub(crate) async fn refund_duplicate(
    payments: &Payments,
    out_trade_no: &str,
) -> Result<(), QueryError> {
    let Some(charge) = payments.ledger.charge(out_trade_no).await? else {
        return Ok(());
    };
    if charge.state != AttemptState::Surplus {
        return Ok(());
    }
    let _lock = payments.lock_order_for_due_work(charge.order_id).await?;
    let Some(checkout) = payments.ledger.checkout(charge.order_id).await? else {
        return Ok(());
    };
    let before = earlier(payments, &charge).await?;
    // A closed or refused refund did not return the money; any other state is already in progress
    // or awaits an operator.
    let is_in_progress =
        |refund: &Refund| !matches!(refund.state, RefundState::Closed | RefundState::Refused);
    if before.iter().any(is_in_progress) {
        return Ok(());
    }
    let left = payments.ledger.left_of(&checkout.order, &charge).await?;
    let left_fen = left.refundable_fen();
    if left_fen == Fen::ZERO {
        return Ok(());
    }
    let number = match before.iter().find(|refund| is_refused(refund, left_fen)) {
        Some(refused) => refused.out_refund_no.clone(),
        None => OutRefundNo::parse(number(&charge.out_trade_no, before.len()))
            .map_err(|_| LedgerError::Column("attempts.out_trade_no"))?,
    };
    let new = request::of_duplicate(payments, &charge, number, left_fen)
        .map_err(|_| LedgerError::Column("attempts.out_trade_no"))?;
    match payments.ledger.begin_refund(&new).await? {
        RefundBegun::New(refund) | RefundBegun::Same(refund) => {
            tracing::warn!(
                event = "surplus.refund",
                refund_no = refund.out_refund_no.as_str(),
                amount_fen = refund.amount_fen.count(),
                "a duplicate payment is refunded"
            );
            Ok(course::begin(payments, &*refund).await?)
        }
        RefundBegun::NumberUsed
        | RefundBegun::NotPaid
        | RefundBegun::TooMuch(_)
        | RefundBegun::TooMany => {
            tracing::error!(
                event = "surplus.stuck",
                out_trade_no,
                "a duplicate payment cannot be refunded automatically"
            );
            Ok(())
        }
    }
}

/// The earlier refunds of this duplicate payment.
async fn earlier(payments: &Payments, charge: &Charge) -> Result<Vec<Refund>, LedgerError> {
    let mut refunds = payments.ledger.refunds(charge.order_id).await?;
    refunds.retain(|refund| {
        refund.origin == RefundOrigin::Surplus && refund.out_trade_no == charge.out_trade_no
    });
    Ok(refunds)
}

/// Whether the refund is to be sent again unchanged.
fn is_refused(refund: &Refund, left_fen: Fen) -> bool {
    refund.state == RefundState::Refused && refund.amount_fen == left_fen
}
