//! The effect of a signed payment report on the ledger. Notifications and queries both end here, so
//! that there is one decision and not two.
//!
//! An unmatched payment is never dropped and never settles an order: it is stored, reported and
//! queried.

mod combined;
mod comparison;

use combined::OTHER_SUB_ORDERS;
use comparison::{Expected, matching_id};
use merchant_api::AttemptProduct;
use payment_values::{OpenId, TransactionId};
use serde_json::Value;
use wechat_pay::{CombinedTransaction, Payer, TradeState, Transaction, v2};

use crate::ledger::{
    Attempt, AttemptState, Evidence, LedgerError, Mismatch, Order, OrderNotice, PaidBy,
    PaidSubOrder, Payment, Recorded,
};
use crate::payments::Payments;
use crate::wechat::{OrderReport, Reported};

/// The effect of a payment report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settlement {
    /// It matches an attempt of ours.
    Ours(Recorded),
    /// It matches no attempt of ours.
    Mismatch,
    /// A notification about a pending code payment: WeChat is queried, and its answer settles.
    QueryScheduled,
}

/// The decision about a payment.
enum Judgement {
    Fits(Payment),
    Misfit(Mismatch),
    Hint { order_id: i64 },
}

/// Decides about a payment and records it. The report must have been verified.
pub(crate) async fn record(
    payments: &Payments,
    evidence: &Evidence,
    order_report: &OrderReport,
) -> Result<Settlement, LedgerError> {
    let now_ms = payments.clock.now_ms();
    match judge(payments, evidence, order_report).await? {
        Judgement::Fits(payment) => {
            let recorded = payments
                .ledger
                .record_payment(evidence, &payment, now_ms)
                .await?;
            report(&payment, recorded);
            Ok(Settlement::Ours(recorded))
        }
        Judgement::Hint { order_id } => {
            payments
                .ledger
                .schedule_query(order_id, now_ms, now_ms)
                .await?;
            payments
                .ledger
                .record_other_notification(evidence, now_ms)
                .await?;
            Ok(Settlement::QueryScheduled)
        }
        Judgement::Misfit(mismatch) => {
            let is_new = payments
                .ledger
                .record_mismatch(evidence, &mismatch, now_ms)
                .await?;
            if is_new {
                tracing::error!(
                    event = "payment.mismatch",
                    reason = mismatch.reason,
                    out_trade_no = mismatch.out_trade_no,
                    transaction_id = mismatch.transaction_id,
                    "a payment that WeChat vouches for fits no order of ours"
                );
            }
            Ok(Settlement::Mismatch)
        }
    }
}

async fn judge(
    payments: &Payments,
    evidence: &Evidence,
    order_report: &OrderReport,
) -> Result<Judgement, LedgerError> {
    let misfit = |reason| Ok(Judgement::Misfit(mismatch(order_report, reason)));
    let number = out_trade_no(order_report);
    let Some(attempt) = payments.ledger.attempt_by_out_trade_no(number).await? else {
        return misfit("number");
    };
    let Some(checkout) = payments.ledger.checkout(attempt.order_id).await? else {
        return misfit("number");
    };
    let mchid = payments.config.merchant.key.mchid();
    let transaction = match &order_report.reported {
        Reported::Order(transaction) => transaction,
        Reported::Combined(combined) => {
            let sub_orders = payments
                .ledger
                .sub_orders_of_attempt(attempt.order_id, attempt.number)
                .await?;
            let paid = combined::paid_sub_orders(combined, &attempt, &sub_orders, mchid);
            return match paid.and_then(|paid| combined_payment(combined, &attempt, paid, mchid)) {
                Ok(payment) => Ok(Judgement::Fits(payment)),
                Err(reason) => misfit(reason),
            };
        }
    };
    if attempt.is_combined {
        return misfit(OTHER_SUB_ORDERS);
    }
    let expected = expected(&checkout.order, &attempt, mchid);
    let transaction_id = match matching_id(transaction, expected) {
        Ok(transaction_id) => transaction_id,
        Err(reason) => return misfit(reason),
    };
    // A code payment may be reversed at the moment when it is paid. Then the notification reports
    // money that was returned since. A query returns the present state.
    if attempt.product == AttemptProduct::CodePay
        && matches!(evidence, Evidence::Notification { .. })
    {
        if attempt.state.is_alive() {
            let order_id = attempt.order_id;
            return Ok(Judgement::Hint { order_id });
        }
        if attempt.state == AttemptState::Closed {
            return misfit("reversed");
        }
    }
    let payment = payment(transaction, &checkout.order, &attempt, transaction_id);
    Ok(Judgement::Fits(payment))
}

fn expected<'a>(order: &Order, attempt: &'a Attempt, mchid: &'a str) -> Expected<'a> {
    let parties = &attempt.parties;
    Expected {
        mchid,
        appid: &parties.appid,
        sub_mchid: parties.sub_mchid.as_deref(),
        sub_appid: parties.sub_appid.as_deref(),
        may_omit_appids: attempt.product == AttemptProduct::CodePay,
        total_fen: order.total_fen,
        is_refused: attempt.state == AttemptState::Refused,
        transaction_id: attempt.transaction_id.as_ref(),
    }
}

fn payment(
    transaction: &Transaction,
    order: &Order,
    attempt: &Attempt,
    transaction_id: TransactionId,
) -> Payment {
    Payment {
        order_id: attempt.order_id,
        attempt: attempt.number,
        out_trade_no: attempt.out_trade_no.clone(),
        transaction_id,
        payer_total_fen: transaction.payer_total(),
        bank_type: transaction.bank_type.clone(),
        success_time: transaction.success_time.clone(),
        notice: order_notice(transaction, order),
        is_refunded: transaction.trade_state == TradeState::Refund,
        paid_by: paid_by(transaction.payer.as_ref()),
        promotion_detail: coupons(&transaction.promotion_detail),
        sub_orders: Vec::new(),
        mchid: transaction.mchid.clone(),
    }
}

/// The payment of a combined order. Bank and time are those of its first sub-order: the buyer pays all at
/// once.
fn combined_payment(
    combined: &CombinedTransaction,
    attempt: &Attempt,
    sub_orders: Vec<PaidSubOrder>,
    mchid: &str,
) -> Result<Payment, &'static str> {
    let first = sub_orders.first().ok_or(OTHER_SUB_ORDERS)?;
    let promotions = combined.sub_orders.iter();
    let promotions: Vec<_> = promotions
        .flat_map(|sub_order| sub_order.promotion_detail.clone())
        .collect();
    Ok(Payment {
        order_id: attempt.order_id,
        attempt: attempt.number,
        out_trade_no: attempt.out_trade_no.clone(),
        transaction_id: first.transaction_id.clone(),
        payer_total_fen: combined::payer_total_fen(&sub_orders),
        bank_type: first.bank_type.clone(),
        success_time: first.success_time.clone(),
        // Only the payment service of the older API names such an address, and it has no combined orders.
        notice: None,
        is_refunded: sub_orders.iter().any(|paid| paid.is_refunded),
        paid_by: paid_by(combined.combine_payer_info.as_ref()),
        promotion_detail: coupons(&promotions),
        mchid: mchid.to_owned(),
        sub_orders,
    })
}

/// The coupons that were used, as the ledger keeps them.
fn coupons(promotions: &[Value]) -> Option<String> {
    (!promotions.is_empty()).then(|| serde_json::to_string(promotions).unwrap_or_default())
}

/// Who paid. An openid that breaks the rules of one is left out: the payment counts all the same.
fn paid_by(payer: Option<&Payer>) -> PaidBy {
    let Some(payer) = payer else {
        return PaidBy::default();
    };
    let read = |text: &Option<String>| {
        let text = text.as_deref()?;
        OpenId::parse(text).ok()
    };
    PaidBy {
        openid: read(&payer.openid),
        sub_openid: read(&payer.sub_openid),
    }
}

/// WeChat's notification as the order's `notify_url` gets it. The backend knows the order by its own
/// number, and never gave an `attach`.
fn order_notice(transaction: &Transaction, order: &Order) -> Option<OrderNotice> {
    let notify_url = order.notify_url.clone()?;
    let mut fields = v2::transaction_fields(transaction, false);
    fields.set("out_trade_no", order.order_no.as_str());
    fields.remove("attach");
    Some(OrderNotice {
        notify_url,
        body: fields.to_xml().to_vec(),
    })
}

/// The number at WeChat that a report is about.
fn out_trade_no(order_report: &OrderReport) -> &str {
    match &order_report.reported {
        Reported::Order(transaction) => &transaction.out_trade_no,
        Reported::Combined(combined) => &combined.combine_out_trade_no,
    }
}

/// The report as a mismatch, whole. Of a combined order WeChat's number of the first payment stands for all.
fn mismatch(order_report: &OrderReport, reason: &'static str) -> Mismatch {
    let (transaction_id, sub_mchid) = match &order_report.reported {
        Reported::Order(transaction) => (
            transaction.transaction_id.clone(),
            transaction.sub_mchid.clone(),
        ),
        Reported::Combined(combined) => {
            let first = combined.sub_orders.first();
            let id = first.and_then(|first| first.transaction_id.clone());
            (id, first.and_then(|first| first.sub_mchid.clone()))
        }
    };
    Mismatch {
        out_trade_no: out_trade_no(order_report).to_owned(),
        transaction_id: transaction_id.unwrap_or_default(),
        sub_mchid,
        reason,
        resource: order_report.json.clone(),
    }
}

fn report(payment: &Payment, recorded: Recorded) {
    let out_trade_no = payment.out_trade_no.as_str();
    let transaction_id = payment.transaction_id.as_str();
    match recorded {
        Recorded::Settled => tracing::info!(
            event = "payment.settled",
            out_trade_no,
            transaction_id,
            "an order is paid"
        ),
        Recorded::Surplus => tracing::error!(
            event = "payment.surplus",
            out_trade_no,
            transaction_id,
            "an order, or a use of a payment link, was paid twice: this payment is refunded"
        ),
        Recorded::Known => tracing::debug!(out_trade_no, "a payment was reported again"),
    }
}
