//! The effect of a signed payment report on the ledger. Notifications and queries both end here, so
//! that there is one decision and not two.
//!
//! An unmatched payment is never dropped and never settles an order: it is stored, reported and
//! queried.

use merchant_api::AttemptProduct;
use payment_values::{OpenId, TransactionId};
use wechat_pay::{TradeState, Transaction, v2};

use crate::ledger::{
    Attempt, AttemptState, Evidence, LedgerError, Mismatch, Order, OrderNotice, PaidBy, Payment,
    Recorded,
};
use crate::payments::Payments;
use crate::wechat::OrderReport;

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
    let Some(attempt) = payments
        .ledger
        .attempt_by_out_trade_no(&order_report.transaction.out_trade_no)
        .await?
    else {
        return misfit("number");
    };
    let Some(checkout) = payments.ledger.checkout(attempt.order_id).await? else {
        return misfit("number");
    };
    let mchid = payments.config.merchant.key.mchid();
    let transaction_id = match matching_id(order_report, &checkout.order, &attempt, mchid) {
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
    let payment = payment(order_report, &checkout.order, &attempt, transaction_id);
    Ok(Judgement::Fits(payment))
}

/// WeChat's number of a payment that matches the order, or the first difference. A report without
/// such a number, or with a text that cannot be one, does not match.
fn matching_id(
    order_report: &OrderReport,
    order: &Order,
    attempt: &Attempt,
    mchid: &str,
) -> Result<TransactionId, &'static str> {
    let transaction = &order_report.transaction;
    let amount = transaction.amount.as_ref();
    let is_cny = amount
        .and_then(|amount| amount.currency.as_deref())
        .is_none_or(|currency| currency == "CNY");
    let total = amount.map(|amount| amount.total);
    let id = transaction.transaction_id.as_deref();
    let id = id.and_then(|text| TransactionId::parse(text).ok());
    let parties = &attempt.parties;
    // For code payments WeChat may omit the appids; the merchant numbers are always there.
    let may_be_unsaid = attempt.product == AttemptProduct::CodePay;
    let is_appid_unsaid = may_be_unsaid && transaction.appid.is_empty();
    let is_sub_appid_unsaid = may_be_unsaid && order_report.sub_appid.is_none();
    let checks = [
        (transaction.mchid == mchid, "mchid"),
        (
            transaction.appid == parties.appid || is_appid_unsaid,
            "appid",
        ),
        (order_report.sub_mchid == parties.sub_mchid, "sub_mchid"),
        (
            order_report.sub_appid == parties.sub_appid || is_sub_appid_unsaid,
            "sub_appid",
        ),
        (total == Some(order.total_fen), "amount"),
        (is_cny, "currency"),
        (attempt.state != AttemptState::Refused, "refused"),
        // WeChat does not accept a second payment under one number. If it did, it would be real
        // money all the same.
        (
            attempt.transaction_id.is_none() || attempt.transaction_id == id,
            "transaction_id",
        ),
    ];
    match checks.into_iter().find(|(fits, _)| !fits) {
        Some((_, reason)) => Err(reason),
        None => id.ok_or("transaction_id"),
    }
}

fn payment(
    order_report: &OrderReport,
    order: &Order,
    attempt: &Attempt,
    transaction_id: TransactionId,
) -> Payment {
    let transaction = &order_report.transaction;
    let promotions = &transaction.promotion_detail;
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
        paid_by: paid_by(transaction),
        promotion_detail: (!promotions.is_empty())
            .then(|| serde_json::to_string(promotions).unwrap_or_default()),
    }
}

/// Who paid. An openid that breaks the rules of one is left out: the payment counts all the same.
fn paid_by(transaction: &Transaction) -> PaidBy {
    let Some(payer) = &transaction.payer else {
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

fn mismatch(order_report: &OrderReport, reason: &'static str) -> Mismatch {
    let transaction = &order_report.transaction;
    Mismatch {
        out_trade_no: transaction.out_trade_no.clone(),
        transaction_id: transaction.transaction_id.clone().unwrap_or_default(),
        sub_mchid: order_report.sub_mchid.clone(),
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
