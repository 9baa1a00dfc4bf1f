//! Payments and their notifications. Each is recorded once, however often it comes.

use const_format::formatcp;
use ledger_database::{Query, query, query_scalar};
use merchant_api::{PaymentData, PaymentMismatchData, PaymentPayer, WebhookEvent};
use payment_values::{Fen, OutTradeNo, TransactionId};

use super::attempts::PaidBy;
use super::notifications::{Evidence, Numbers, keep_notification};
use super::outbox::OrderNotice;
use super::{
    AttemptState, Ledger, LedgerError, PaidSubOrder, Wait, Work, Write, attempts, mismatches,
    orders, outbox, payment_links, refund_updates, schedule, signed, sub_orders,
};

/// A payment that matches the attempt it names: amount, merchant and application were compared.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub(crate) order_id: i64,
    pub(crate) attempt: u64,
    pub(crate) out_trade_no: OutTradeNo,
    /// Of a combined order: that of its first sub-order.
    pub(crate) transaction_id: TransactionId,
    pub(crate) payer_total_fen: Option<Fen>,
    pub(crate) bank_type: Option<String>,
    pub(crate) success_time: Option<String>,
    /// The coupons that were used, as WeChat's JSON.
    pub(crate) promotion_detail: Option<String>,
    /// The notification for the order's `notify_url`, if the order names one: WeChat's fields,
    /// without a signature.
    pub(crate) notice: Option<OrderNotice>,
    /// WeChat reports it as refunded, in part or in full.
    pub(crate) is_refunded: bool,
    /// Who paid.
    pub(crate) paid_by: PaidBy,
    /// The payments of a combined order's sub-orders, in their order; none of an ordinary order.
    pub(crate) sub_orders: Vec<PaidSubOrder>,
    /// The merchant that ordered.
    pub(crate) mchid: String,
}

impl Payment {
    /// The numbers at WeChat that can be refunded: its own, or those of its sub-orders.
    fn charged(&self) -> Vec<&OutTradeNo> {
        if self.sub_orders.is_empty() {
            return vec![&self.out_trade_no];
        }
        let of_sub_orders = self.sub_orders.iter();
        of_sub_orders.map(|paid| &paid.out_trade_no).collect()
    }
}

/// A payment that WeChat signed and that matches no attempt of ours. Its numbers are evidence and
/// plain texts: they may break every rule, and the payment is recorded all the same.
#[derive(Clone, Debug)]
pub(crate) struct Mismatch {
    pub(crate) out_trade_no: String,
    pub(crate) transaction_id: String,
    /// Partner mode: the sub-merchant that WeChat names.
    pub(crate) sub_mchid: Option<String>,
    /// What differs, in one word.
    pub(crate) reason: &'static str,
    /// WeChat's report as JSON.
    pub(crate) resource: String,
}

/// The effect of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// It settled the order.
    Settled,
    /// Another attempt had settled the order, or the order was closed and its payment link has no use left:
    /// this payment is refunded.
    Surplus,
    /// It was known already; nothing changed.
    Known,
}

impl Ledger {
    /// Records a payment in one transaction with its notification.
    pub(crate) async fn record_payment(
        &self,
        evidence: &Evidence,
        payment: &Payment,
        now_ms: i64,
    ) -> Result<Recorded, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let recorded = settle(&mut write, payment, now_ms).await?;
            let outcome = match recorded {
                Recorded::Settled => "settled",
                Recorded::Surplus => "surplus",
                Recorded::Known => "known",
            };
            let numbers = Numbers {
                out_trade_no: Some(payment.out_trade_no.as_str()),
                transaction_id: Some(payment.transaction_id.as_str()),
                out_refund_no: None,
            };
            keep_notification(&mut write, evidence, numbers, outcome, now_ms).await?;
            write.commit().await?;
            if recorded != Recorded::Known {
                self.changes.announce(payment.order_id);
            }
            Ok(recorded)
        })
        .await
    }

    /// Stores an unmatched payment and schedules a query about it. Returns whether it is new.
    pub(crate) async fn record_mismatch(
        &self,
        evidence: &Evidence,
        mismatch: &Mismatch,
        now_ms: i64,
    ) -> Result<bool, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let no = mismatches::next_no(&mut write).await?;
            let kept = query(
                "INSERT INTO mismatches (merchant, out_trade_no, transaction_id, sub_mchid, reason,
                                         resource, received_ms, no)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(self.merchant)
            .bind(&mismatch.out_trade_no)
            .bind(&mismatch.transaction_id)
            .bind(&mismatch.sub_mchid)
            .bind(mismatch.reason)
            .bind(&mismatch.resource)
            .bind(now_ms)
            .bind(no)
            .execute(&mut write)
            .await?;
            let is_new = kept > 0;
            if is_new {
                schedule::schedule(
                    &mut write,
                    Work::QueryMismatch,
                    &mismatch.out_trade_no,
                    Wait::over(now_ms),
                )
                .await?;
                let event = WebhookEvent::PaymentMismatch(PaymentMismatchData {
                    out_trade_no: mismatch.out_trade_no.clone(),
                    transaction_id: mismatch.transaction_id.clone(),
                    reason: mismatch.reason.to_owned(),
                });
                let key = format!("{}\n{}", mismatch.out_trade_no, mismatch.transaction_id);
                outbox::put(&mut write, event, &key, now_ms).await?;
            }
            let numbers = Numbers {
                out_trade_no: Some(&mismatch.out_trade_no),
                transaction_id: Some(&mismatch.transaction_id),
                out_refund_no: None,
            };
            keep_notification(&mut write, evidence, numbers, "mismatch", now_ms).await?;
            write.commit().await?;
            Ok(is_new)
        })
        .await
    }

    /// Whether WeChat reported a payment as refunded and no refund of it is known yet.
    pub(crate) async fn has_unknown_refund(
        &self,
        out_trade_no: &OutTradeNo,
    ) -> Result<bool, LedgerError> {
        let is_unknown = query(
            "SELECT 1 FROM attempts
             WHERE merchant = ?2 AND out_trade_no = ?1 AND refund_seen_ms IS NOT NULL
               AND is_combined = 0
               AND NOT EXISTS (SELECT 1 FROM refunds
                               WHERE refunds.merchant = ?2 AND refunds.out_trade_no = ?1)
             UNION ALL
             SELECT 1 FROM attempts JOIN sub_payments
               ON sub_payments.order_id = attempts.order_id
              AND sub_payments.attempt = attempts.number
             WHERE attempts.merchant = ?2 AND attempts.out_trade_no = ?1
               AND sub_payments.refund_seen_ms IS NOT NULL
               AND NOT EXISTS (SELECT 1 FROM refunds
                               WHERE refunds.merchant = ?2
                                 AND refunds.out_trade_no = sub_payments.out_trade_no)",
        )
        .bind(out_trade_no)
        .bind(self.merchant)
        .exists(&self.readers)
        .await?;
        Ok(is_unknown)
    }

    /// Partner mode: the sub-merchant that WeChat named in a mismatch of this number.
    pub(crate) async fn sub_mchid_of_mismatch(
        &self,
        out_trade_no: &str,
    ) -> Result<Option<String>, LedgerError> {
        let named = query_scalar(
            "SELECT MAX(sub_mchid) AS sub_mchid FROM (
                SELECT sub_mchid FROM mismatches WHERE merchant = ?2 AND out_trade_no = ?1
                UNION ALL
                SELECT sub_mchid FROM kept_notifications
                WHERE merchant = ?2 AND out_trade_no = ?1) AS named",
        )
        .bind(out_trade_no)
        .bind(self.merchant)
        .fetch_one(&self.readers)
        .await?;
        Ok(named)
    }

    /// Whether WeChat reported a mismatch of this number as a combined order.
    pub(crate) async fn is_combined_mismatch(
        &self,
        out_trade_no: &str,
    ) -> Result<bool, LedgerError> {
        const IS_COMBINED: &str = "resource LIKE '%\"combine_out_trade_no\"%'";
        let is_combined = query(formatcp!(
            "SELECT 1 FROM mismatches WHERE merchant = ?1 AND out_trade_no = ?2 AND {IS_COMBINED}
             UNION ALL
             SELECT 1 FROM kept_notifications
             WHERE merchant = ?1 AND out_trade_no = ?2 AND {IS_COMBINED}"
        ))
        .bind(self.merchant)
        .bind(out_trade_no)
        .exists(&self.readers)
        .await?;
        Ok(is_combined)
    }

    /// Stores WeChat's answer to the query about a mismatch.
    pub(crate) async fn note_mismatch_answer(
        &self,
        out_trade_no: &str,
        answer: &str,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            for statement in [
                "UPDATE mismatches SET queried_ms = ?, query_answer = ?
                 WHERE merchant = ? AND out_trade_no = ?",
                "UPDATE kept_notifications SET queried_ms = ?, query_answer = ?
                 WHERE merchant = ? AND out_trade_no = ? AND out_refund_no IS NULL",
            ] {
                query(statement)
                    .bind(now_ms)
                    .bind(answer)
                    .bind(self.merchant)
                    .bind(out_trade_no)
                    .execute(&mut write)
                    .await?;
            }
            write.commit().await?;
            Ok(())
        })
        .await
    }

    /// Records a notification that has no effect by itself. WeChat is queried instead.
    pub(crate) async fn record_other_notification(
        &self,
        evidence: &Evidence,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let numbers = Numbers::default();
            keep_notification(&mut write, evidence, numbers, "other", now_ms).await?;
            write.commit().await?;
            Ok(())
        })
        .await
    }
}

async fn settle(
    write: &mut Write,
    payment: &Payment,
    now_ms: i64,
) -> Result<Recorded, LedgerError> {
    // A notification and the answer to a query report one payment at the same time: the second one must
    // find what the first one wrote, or it would take the payment for a duplicate and refund it.
    orders::lock(write, payment.order_id).await?;
    let attempt = attempts::find(&mut *write, payment.order_id, payment.attempt)
        .await?
        .ok_or(LedgerError::Column("attempts.number"))?;
    if matches!(attempt.state, AttemptState::Paid | AttemptState::Surplus) {
        note_unknown_refund(write, payment, now_ms).await?;
        note_payer(write, payment, &attempt.paid_by).await?;
        return Ok(Recorded::Known);
    }
    let (state, recorded) = if settle_order(write, payment).await? {
        (AttemptState::Paid, Recorded::Settled)
    } else {
        orders::grow_version(write, payment.order_id).await?;
        (AttemptState::Surplus, Recorded::Surplus)
    };
    query(
        "UPDATE attempts SET state = ?, transaction_id = ?, bank_type = ?, payer_total_fen = ?,
                             success_time = ?, success_ms = ?, promotion_detail = ?,
                             payer_openid = ?, payer_sub_openid = ?
         WHERE order_id = ? AND number = ?",
    )
    .bind(state.as_str())
    .bind(&payment.transaction_id)
    .bind(&payment.bank_type)
    .bind(payment.payer_total_fen)
    .bind(&payment.success_time)
    .bind(payment.success_time.as_deref().and_then(moment_ms))
    .bind(&payment.promotion_detail)
    .bind(&payment.paid_by.openid)
    .bind(&payment.paid_by.sub_openid)
    .bind(payment.order_id)
    .bind(signed(payment.attempt))
    .execute(&mut *write)
    .await?;
    sub_orders::note_paid(write, &payment.sub_orders, moment_ms).await?;
    // Refunds may have been reported before the payment.
    refund_updates::sum_refunded(write, payment.order_id).await?;
    note_unknown_refund(write, payment, now_ms).await?;
    if recorded == Recorded::Surplus {
        for number in payment.charged() {
            let wait = Wait::over(now_ms);
            schedule::schedule(write, Work::RefundSurplus, number.as_str(), wait).await?;
        }
    }
    leave_only_what_is_due(write, payment.order_id, now_ms).await?;
    let payer = payment.paid_by.details(&attempt.parties);
    tell_of_payment(write, payment, payer, recorded, now_ms).await?;
    Ok(recorded)
}

/// Marks the order as paid by this payment; returns whether it was. An order has one payment, and a payment
/// link no more than it has uses.
async fn settle_order(write: &mut Write, payment: &Payment) -> Result<bool, LedgerError> {
    const SETTLE: &str = "UPDATE orders SET state = 'paid', is_closing = 0, version = version + 1,
                                            payer_total_fen = ?, success_time = ?
                          WHERE id = ? AND state <> 'paid'";
    let as_it_is = query(formatcp!(
        "{SETTLE} AND (state = 'open' OR link_id IS NULL)"
    ));
    if mark_paid(write, as_it_is, payment).await? {
        return Ok(true);
    }
    if payment_links::has_use_again(write, payment.order_id).await? {
        return mark_paid(write, query(SETTLE), payment).await;
    }
    Ok(false)
}

async fn mark_paid<'q>(
    write: &mut Write,
    statement: Query<'q>,
    payment: &'q Payment,
) -> Result<bool, LedgerError> {
    let settled = statement
        .bind(payment.payer_total_fen)
        .bind(&payment.success_time)
        .bind(payment.order_id)
        .execute(&mut *write)
        .await?;
    Ok(settled > 0)
}

/// Records when WeChat first reports a payment as refunded while no refund is known here.
async fn note_unknown_refund(
    write: &mut Write,
    payment: &Payment,
    now_ms: i64,
) -> Result<(), LedgerError> {
    if !payment.is_refunded {
        return Ok(());
    }
    if !payment.sub_orders.is_empty() {
        return note_unknown_refunds_of_sub_orders(write, payment, now_ms).await;
    }
    let seen = query(
        "UPDATE attempts SET refund_seen_ms = ?1
         WHERE merchant = ?3 AND out_trade_no = ?2 AND refund_seen_ms IS NULL
           AND NOT EXISTS (SELECT 1 FROM refunds
                           WHERE refunds.merchant = ?3 AND refunds.out_trade_no = ?2)",
    )
    .bind(now_ms)
    .bind(&payment.out_trade_no)
    .bind(write.merchant())
    .execute(&mut *write)
    .await?;
    if seen > 0 {
        report_unknown_refund(&payment.out_trade_no);
    }
    Ok(())
}

/// The same for each sub-order of a combined payment.
async fn note_unknown_refunds_of_sub_orders(
    write: &mut Write,
    payment: &Payment,
    now_ms: i64,
) -> Result<(), LedgerError> {
    for paid in payment.sub_orders.iter().filter(|paid| paid.is_refunded) {
        if !sub_orders::note_unknown_refund(write, paid, now_ms).await? {
            continue;
        }
        report_unknown_refund(&paid.out_trade_no);
        query(
            "UPDATE attempts SET refund_seen_ms = COALESCE(refund_seen_ms, ?)
             WHERE order_id = ? AND number = ?",
        )
        .bind(now_ms)
        .bind(payment.order_id)
        .bind(signed(payment.attempt))
        .execute(&mut *write)
        .await?;
    }
    Ok(())
}

fn report_unknown_refund(out_trade_no: &OutTradeNo) {
    tracing::warn!(
        event = "refund.unknown",
        out_trade_no = out_trade_no.as_str(),
        "WeChat calls a payment refunded, and no refund of it is known here"
    );
}

/// Records who paid, if that was not recorded with the payment: an earlier version of this server did
/// not record it.
async fn note_payer(
    write: &mut Write,
    payment: &Payment,
    known: &PaidBy,
) -> Result<(), LedgerError> {
    if *known != PaidBy::default() || payment.paid_by == PaidBy::default() {
        return Ok(());
    }
    query(
        "UPDATE attempts SET payer_openid = ?, payer_sub_openid = ?
         WHERE order_id = ? AND number = ?",
    )
    .bind(&payment.paid_by.openid)
    .bind(&payment.paid_by.sub_openid)
    .bind(payment.order_id)
    .bind(signed(payment.attempt))
    .execute(&mut *write)
    .await?;
    Ok(())
}

/// WeChat's time as milliseconds since 1970; `None` if the text is not a time.
fn moment_ms(text: &str) -> Option<i64> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    Some(moment.as_millisecond())
}

async fn tell_of_payment(
    write: &mut Write,
    payment: &Payment,
    payer: Option<PaymentPayer>,
    recorded: Recorded,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let event = match recorded {
        Recorded::Settled => WebhookEvent::PaymentSucceeded,
        Recorded::Surplus => WebhookEvent::PaymentSurplus,
        Recorded::Known => return Ok(()),
    };
    let Some(order) = orders::find(&mut *write, payment.order_id).await? else {
        return Ok(());
    };
    let sub_orders = if payment.sub_orders.is_empty() {
        None
    } else {
        let found = sub_orders::of_attempt(&mut *write, order.id, payment.attempt).await?;
        let found = found.iter();
        Some(found.map(|it| it.details(&payment.mchid)).collect())
    };
    let data = PaymentData {
        order: orders::order_data(&order),
        out_trade_no: payment.out_trade_no.clone(),
        transaction_id: payment.transaction_id.clone(),
        payer_total_fen: payment.payer_total_fen,
        success_time: payment.success_time.clone(),
        refund_seen: payment.is_refunded.then_some(true),
        payer,
        sub_orders,
    };
    let key = payment.transaction_id.as_str();
    outbox::put_payment(write, event, data, key, now_ms).await?;
    match &payment.notice {
        Some(notice) if recorded == Recorded::Settled => {
            outbox::put_notice(write, notice, key, now_ms).await
        }
        _ => Ok(()),
    }
}

/// A paid order needs no more queries, but an attempt that could still be paid is ended now.
async fn leave_only_what_is_due(
    write: &mut Write,
    order_id: i64,
    now_ms: i64,
) -> Result<(), LedgerError> {
    schedule::forget_order(write, order_id).await?;
    let has_live_attempt =
        query("SELECT 1 FROM attempts WHERE order_id = ? AND state IN ('prepared', 'open')")
            .bind(order_id)
            .exists(&mut *write)
            .await?;
    if has_live_attempt {
        schedule::schedule(
            write,
            Work::EndOrder,
            &order_id.to_string(),
            Wait::over(now_ms),
        )
        .await?;
    }
    Ok(())
}
