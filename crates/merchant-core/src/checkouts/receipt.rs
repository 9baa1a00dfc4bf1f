//! The paid order that WeChat requests for a receipt page of partner mode (点金计划). Only WeChat and
//! this server can compute its `check_code`, because the code covers WeChat's number of the
//! payment. With a wrong code, this module reveals nothing about an order.

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

/// The paid order that the query names, if the query comes from WeChat. WeChat may request it
/// before its notification comes. So an order that is still open is queried: the code covers a
/// number that only WeChat's answer contains. However often a stranger guesses, WeChat is queried
/// once per order and interval, and only where `may_query` allows it.
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
                "too many receipt pages of unpaid orders are opened: WeChat is not queried about this one"
            );
            return Ok(None);
        }
        query_if_due(payments, known.order_id).await?;
        known = match attempt().await? {
            Some(known) => known,
            None => return Ok(None),
        };
    }
    let is_wechats = known.transaction_id.as_ref().is_some_and(|transaction_id| {
        receipt_is_wechats(
            &payments.config.merchant.receipt_url,
            &receipt.sub_mchid,
            &receipt.out_trade_no,
            transaction_id.as_str(),
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
