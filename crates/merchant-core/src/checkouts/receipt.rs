//! The paid order that WeChat asks about for a receipt page of partner mode (点金计划). Only WeChat and we
//! can make its `check_code`, for the code covers WeChat's number of the payment: with a wrong one,
//! nothing of an order comes out of here.

use merchant_api::OrderState;
use wechat_pay::receipt_is_wechats;

use super::query_if_due;
use crate::ledger::{Attempt, AttemptState, Order};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// The parameters that WeChat appends to the page's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptQuery {
    /// `sub_mch_id`.
    pub sub_mchid: String,
    /// `out_trade_no`.
    pub out_trade_no: String,
    /// `check_code`.
    pub check_code: String,
}

/// The paid order that is meant, if WeChat is who asks. It may ask before its notification comes,
/// so an order that is still open is queried: the code covers a number that only the answer
/// brings. However often somebody guesses, WeChat is queried once per order and interval, and only
/// where `may_query` allows it.
pub async fn of_receipt(
    payments: &Payments,
    receipt: &ReceiptQuery,
    may_query: impl FnOnce() -> bool,
) -> Result<Option<Order>, Refusal> {
    let attempt =
        async || -> Result<Option<Attempt>, Refusal> {
            let attempt = payments
                .ledger
                .attempt_by_out_trade_no(&receipt.out_trade_no)
                .await?;
            Ok(attempt
                .filter(|attempt| attempt.parties.sub_mchid.as_ref() == Some(&receipt.sub_mchid)))
        };
    let Some(mut known) = attempt().await? else {
        return Ok(None);
    };
    if known.state.is_alive() {
        if !may_query() {
            tracing::warn!(
                event = "receipt.not_asked",
                "too many receipt pages of unpaid orders are opened: WeChat is not asked about this one"
            );
            return Ok(None);
        }
        query_if_due(payments, known.order_id).await?;
        known = match attempt().await? {
            Some(known) => known,
            None => return Ok(None),
        };
    }
    let is_wechats = known
        .transaction_id
        .as_deref()
        .is_some_and(|transaction_id| {
            receipt_is_wechats(
                &payments.config.merchant.receipt_url,
                &receipt.sub_mchid,
                &receipt.out_trade_no,
                transaction_id,
                &receipt.check_code,
            )
        });
    if known.state != AttemptState::Paid || !is_wechats {
        return Ok(None);
    }
    let checkout = payments.ledger.checkout(known.order_id).await?;
    Ok(checkout
        .map(|checkout| checkout.order)
        .filter(|order| order.state == OrderState::Paid))
}
