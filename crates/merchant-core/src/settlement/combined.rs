//! Compares WeChat's report of a combined payment with its attempt: every sub-order by number, merchant and
//! amount. One difference, and the whole report does not match: WeChat takes the money for all sub-orders or
//! for none, so a part of it settles nothing.

use std::collections::BTreeSet;

use payment_values::{Fen, TransactionId};
use wechat_pay::{CombinedTransaction, TradeState, Transaction};

use super::comparison::{Expected, matching_id};
use crate::ledger::{Attempt, AttemptState, PaidSubOrder, SubOrder};

/// The sub-orders are not those of the attempt.
pub(super) const OTHER_SUB_ORDERS: &str = "sub_orders";

/// The payments of the attempt's sub-orders, in their order; or the first difference.
pub(super) fn paid_sub_orders(
    combined: &CombinedTransaction,
    attempt: &Attempt,
    sub_orders: &[SubOrder],
    mchid: &str,
) -> Result<Vec<PaidSubOrder>, &'static str> {
    if combined.combine_mchid != mchid {
        return Err("mchid");
    }
    let transactions = combined.transactions();
    if !attempt.is_combined || transactions.len() != sub_orders.len() {
        return Err(OTHER_SUB_ORDERS);
    }
    let paid = sub_orders
        .iter()
        .map(|sub_order| paid_sub_order(&transactions, attempt, sub_order, mchid))
        .collect::<Result<Vec<_>, _>>()?;
    let ids: BTreeSet<&str> = paid
        .iter()
        .map(|paid| paid.transaction_id.as_str())
        .collect();
    if ids.len() < paid.len() {
        return Err("transaction_id");
    }
    Ok(paid)
}

/// What the payer paid for all of them; `None` if WeChat left it out for one.
pub(super) fn payer_total_fen(paid: &[PaidSubOrder]) -> Option<Fen> {
    paid.iter().try_fold(Fen::ZERO, |sum, paid| {
        sum.checked_add(paid.payer_total_fen?)
    })
}

fn paid_sub_order(
    transactions: &[Transaction],
    attempt: &Attempt,
    sub_order: &SubOrder,
    mchid: &str,
) -> Result<PaidSubOrder, &'static str> {
    let number = sub_order.out_trade_no.as_ref().ok_or(OTHER_SUB_ORDERS)?;
    let mut of_number = transactions
        .iter()
        .filter(|transaction| transaction.out_trade_no == number.as_str());
    let (Some(transaction), None) = (of_number.next(), of_number.next()) else {
        return Err(OTHER_SUB_ORDERS);
    };
    let transaction_id: TransactionId = matching_id(
        transaction,
        Expected {
            mchid,
            appid: &attempt.parties.appid,
            sub_mchid: sub_order.sub_mchid.as_deref(),
            sub_appid: None,
            may_omit_appids: true,
            total_fen: sub_order.amount_fen,
            is_refused: attempt.state == AttemptState::Refused,
            transaction_id: sub_order.transaction_id.as_ref(),
        },
    )?;
    Ok(PaidSubOrder {
        out_trade_no: number.clone(),
        transaction_id,
        payer_total_fen: transaction.payer_total(),
        bank_type: transaction.bank_type.clone(),
        success_time: transaction.success_time.clone(),
        is_refunded: transaction.trade_state == TradeState::Refund,
    })
}
