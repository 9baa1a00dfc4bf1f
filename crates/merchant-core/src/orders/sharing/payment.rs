//! The payment whose money is shared.

use merchant_api::ErrorCode;
use payment_values::{OutTradeNo, TransactionId};
use wechat_pay::Sharer;

use crate::ledger::{Attempt, AttemptState, LedgerError, Order, Parties, Share};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// A payment of an order, as far as sharing it needs.
#[derive(Clone, Debug)]
pub(super) struct SharedPayment {
    pub(super) order_id: i64,
    pub(super) out_trade_no: OutTradeNo,
    pub(super) transaction_id: TransactionId,
    pub(super) parties: Parties,
}

impl SharedPayment {
    /// Whose money it is, in the protocol's form.
    pub(super) fn sharer(&self) -> Sharer {
        Sharer {
            appid: self.parties.appid.clone(),
            sub_mchid: self.parties.sub_mchid.clone(),
            sub_appid: self.parties.sub_appid.clone(),
        }
    }
}

/// The payment that settled the order. `so` ends the sentence of the refusal of an unpaid order.
pub(super) async fn shared_payment(
    payments: &Payments,
    order: &Order,
    so: &str,
) -> Result<SharedPayment, Refusal> {
    if !payments.wechat.can_share() {
        return Err(only_v3());
    }
    if order.is_combined() {
        return Err(Refusal::new(
            ErrorCode::ProductUnavailable,
            "the order is a combined one, and this server combines no orders for profit sharing",
        ));
    }
    let attempt = paid_attempt(payments, order.id).await?;
    let payment = attempt.and_then(|attempt| {
        Some(SharedPayment {
            order_id: attempt.order_id,
            transaction_id: attempt.transaction_id?,
            out_trade_no: attempt.out_trade_no,
            parties: attempt.parties,
        })
    });
    payment.ok_or_else(|| {
        let message = format!("the order is not paid, {so}");
        Refusal::new(ErrorCode::OrderNotPaid, message)
    })
}

/// The payment that a share was taken from.
pub(super) async fn of_share(
    payments: &Payments,
    share: &Share,
) -> Result<SharedPayment, LedgerError> {
    let number = share.out_trade_no.as_str();
    let attempt = payments.ledger.attempt_by_out_trade_no(number).await?;
    let attempt = attempt.ok_or(LedgerError::Column("shares.out_trade_no"))?;
    Ok(SharedPayment {
        order_id: share.order_id,
        out_trade_no: share.out_trade_no.clone(),
        transaction_id: share.transaction_id.clone(),
        parties: attempt.parties,
    })
}

/// The attempt that settled the order.
pub(super) async fn paid_attempt(
    payments: &Payments,
    order_id: i64,
) -> Result<Option<Attempt>, LedgerError> {
    let attempts = payments.ledger.attempts(order_id).await?;
    Ok(attempts
        .into_iter()
        .find(|attempt| attempt.state == AttemptState::Paid))
}

/// Version 2 has calls of its own for profit sharing, which this server does not make.
pub(super) fn only_v3() -> Refusal {
    Refusal::new(
        ErrorCode::ProductUnavailable,
        "profit sharing needs version 3 of WeChat's API: configure merchant.api_v3_key_file",
    )
}
