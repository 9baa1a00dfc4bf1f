//! WeChat's updates of refunds. Each is recorded once, whether it comes twice, late or in another
//! order. A refund that was made elsewhere is added to the ledger; an update that matches nothing
//! is stored for a person.

use const_format::formatcp;
use ledger_database::{query, query_as};
use merchant_api::{RefundOrigin, RefundState, WebhookEvent};
use payment_values::{OutRefundNo, RefundId};

use super::notifications::{Numbers, keep_notification};
use super::refund_mismatches::keep_mismatch;
use super::refund_state::{Step, is_final, step};
use super::refund_update::{RefundRecorded, RefundUpdate};
use super::refunds::{COLUMNS, find_refund};
use super::{
    AttemptState, Charge, Evidence, Ledger, LedgerError, Order, Refund, Wait, Work, Write, charges,
    orders, outbox, schedule, signed,
};

/// A duplicate payment whose refund was closed, or is still refused, is refunded again after this
/// time.
pub(super) const SURPLUS_AGAIN_MS: i64 = 24 * 3_600_000;

impl Ledger {
    /// Records WeChat's report about a refund in one transaction with its notification.
    pub(crate) async fn record_refund(
        &self,
        evidence: &Evidence,
        update: &RefundUpdate,
        now_ms: i64,
    ) -> Result<RefundRecorded, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let (recorded, order_id) = judge(&mut write, update, now_ms).await?;
            let outcome = match &recorded {
                RefundRecorded::Moved(_) => "moved",
                RefundRecorded::TakenIn(_) => "taken in",
                RefundRecorded::Known => "known",
                RefundRecorded::Mismatch { .. } => "mismatch",
            };
            let numbers = Numbers {
                out_trade_no: Some(&update.out_trade_no),
                transaction_id: Some(&update.transaction_id),
                out_refund_no: Some(&update.out_refund_no),
            };
            keep_notification(&mut write, evidence, numbers, outcome, now_ms).await?;
            write.commit().await?;
            if let Some(order_id) = order_id {
                self.changes.announce(order_id);
            }
            Ok(recorded)
        })
        .await
    }
}

/// Updates the order's sum of succeeded refunds of the payment that settled it.
pub(super) async fn sum_refunded(write: &mut Write, order_id: i64) -> Result<(), LedgerError> {
    query(
        "UPDATE orders SET refunded_fen =
             (SELECT CAST(COALESCE(SUM(refunds.amount_fen), 0) AS BIGINT)
              FROM refunds JOIN attempts ON attempts.order_id = refunds.order_id
                                        AND attempts.number = refunds.attempt
              WHERE refunds.order_id = orders.id AND refunds.state = 'succeeded'
                AND attempts.state = 'paid')
         WHERE id = ?",
    )
    .bind(order_id)
    .execute(&mut *write)
    .await?;
    Ok(())
}

/// The effect of an update, and the order that it changed.
async fn judge(
    write: &mut Write,
    update: &RefundUpdate,
    now_ms: i64,
) -> Result<(RefundRecorded, Option<i64>), LedgerError> {
    orders::lock_of_payment(write, &update.out_trade_no).await?;
    let merchant = write.merchant();
    let charge = charges::find(merchant, &mut *write, &update.out_trade_no).await?;
    let Some(charge) = charge else {
        return Ok((keep_mismatch(write, update, "number", now_ms).await?, None));
    };
    let order_id = charge.order_id;
    let known = find_refund(merchant, &mut *write, &update.out_refund_no).await?;
    if let Some(reason) = difference(update, &charge, known.as_ref()) {
        return Ok((keep_mismatch(write, update, reason, now_ms).await?, None));
    }
    let Some(refund) = known else {
        let refund = take_in(write, update, &charge, now_ms).await?;
        changed(write, &refund, update, now_ms).await?;
        let taken_in = RefundRecorded::TakenIn(Box::new(refund));
        return Ok((taken_in, Some(order_id)));
    };
    let is_newer = update
        .sent_ms
        .is_some_and(|sent_ms| sent_ms > refund.state_ms);
    match step(refund.state, update.state, is_newer) {
        Step::Stays => Ok((RefundRecorded::Known, None)),
        Step::Contradicts => {
            let kept = keep_mismatch(write, update, "state", now_ms).await?;
            Ok((kept, None))
        }
        Step::To(_) => {
            let refund = move_on(write, &refund, update, now_ms).await?;
            changed(write, &refund, update, now_ms).await?;
            let moved = RefundRecorded::Moved(Box::new(refund));
            Ok((moved, Some(order_id)))
        }
    }
}

/// The first difference between WeChat's report and the ledger; `None` where they match.
fn difference(
    update: &RefundUpdate,
    charge: &Charge,
    known: Option<&Refund>,
) -> Option<&'static str> {
    let payment = charge.transaction_id.as_ref();
    let checks = [
        // WeChat has another order under this number.
        (charge.state != AttemptState::Refused, "refused"),
        (update.total_fen == charge.total_fen, "total"),
        (
            payment.is_none_or(|id| id.as_str() == update.transaction_id),
            "transaction_id",
        ),
        (
            known.is_none_or(|refund| refund.out_trade_no.as_str() == update.out_trade_no),
            "out_trade_no",
        ),
        (
            known.is_none_or(|refund| refund.amount_fen == update.amount_fen),
            "amount",
        ),
        (
            known
                .and_then(|refund| refund.refund_id.as_ref())
                .is_none_or(|id| id.as_str() == update.refund_id),
            "refund_id",
        ),
        // What the columns of a refund cannot hold is kept as a mismatch.
        (
            OutRefundNo::parse(&*update.out_refund_no).is_ok(),
            "out_refund_no",
        ),
        (RefundId::parse(&*update.refund_id).is_ok(), "refund_id"),
    ];
    let found = checks.into_iter().find(|(fits, _)| !fits);
    update.misfit.or(found.map(|(_, reason)| reason))
}

async fn move_on(
    write: &mut Write,
    refund: &Refund,
    update: &RefundUpdate,
    now_ms: i64,
) -> Result<Refund, LedgerError> {
    let refund = query_as(formatcp!(
        "UPDATE refunds SET state = ?1, state_ms = ?2, refund_id = ?3, payer_refund_fen = ?4,
                            user_received_account = ?5, success_time = ?6, wechat_code = NULL,
                            wechat_message = NULL,
                            sent_ms = CASE WHEN state = 'requested' THEN ?2 ELSE sent_ms END,
                            applications = applications
                                + CASE WHEN state = 'abnormal' AND ?1 = 'processing'
                                       THEN 1 ELSE 0 END
         WHERE id = ?7 RETURNING {COLUMNS}"
    ))
    .bind(update.state.as_str())
    // WeChat's minute between two refunds counts from when it accepted the first one.
    .bind(now_ms)
    .bind(&update.refund_id)
    .bind(update.payer_refund_fen)
    .bind(&update.user_received_account)
    .bind(&update.success_time)
    .bind(refund.id)
    .fetch_one(&mut *write)
    .await?;
    Ok(refund)
}

/// Adds a refund that was made elsewhere. It counts even where it exceeds what is left: the money
/// was returned.
async fn take_in(
    write: &mut Write,
    update: &RefundUpdate,
    charge: &Charge,
    now_ms: i64,
) -> Result<Refund, LedgerError> {
    if !matches!(charge.state, AttemptState::Paid | AttemptState::Surplus) {
        // A refunded payment was paid, and its report has not come yet.
        schedule::schedule(
            write,
            Work::QueryMismatch,
            &update.out_trade_no,
            Wait::over(now_ms),
        )
        .await?;
    }
    let refund = query_as(formatcp!(
        "INSERT INTO refunds (out_refund_no, order_id, attempt, out_trade_no, origin, amount_fen,
                              state, created_ms, state_ms, refund_id, payer_refund_fen,
                              user_received_account, success_time, merchant, sub_order_no)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         RETURNING {COLUMNS}"
    ))
    .bind(&update.out_refund_no)
    .bind(charge.order_id)
    .bind(signed(charge.attempt))
    .bind(&update.out_trade_no)
    .bind(RefundOrigin::External.as_str())
    .bind(update.amount_fen)
    .bind(update.state.as_str())
    .bind(now_ms)
    .bind(&update.refund_id)
    .bind(update.payer_refund_fen)
    .bind(&update.user_received_account)
    .bind(&update.success_time)
    .bind(write.merchant())
    .bind(&charge.sub_order_no)
    .fetch_one(&mut *write)
    .await?;
    Ok(refund)
}

/// Schedules work, updates the order and notifies the backend after a change of a refund's state.
async fn changed(
    write: &mut Write,
    refund: &Refund,
    update: &RefundUpdate,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let number = refund.out_refund_no.as_str();
    match update.next_look_ms.filter(|_| !is_final(refund.state)) {
        Some(at_ms) => {
            let wait = Wait {
                from_ms: now_ms,
                to_ms: at_ms,
            };
            schedule::schedule(write, Work::Refund, number, wait).await?;
        }
        None => schedule::forget(write, Work::Refund, number).await?,
    }
    if refund.origin == RefundOrigin::Surplus && refund.state == RefundState::Closed {
        let wait = Wait {
            from_ms: now_ms,
            to_ms: now_ms + SURPLUS_AGAIN_MS,
        };
        schedule::schedule(
            write,
            Work::RefundSurplus,
            refund.out_trade_no.as_str(),
            wait,
        )
        .await?;
    }
    sum_refunded(write, refund.order_id).await?;
    orders::grow_version(write, refund.order_id).await?;
    put_refund_webhook(write, refund, now_ms).await
}

/// Sends the merchant's backend a message about the new state of a refund.
pub(super) async fn put_refund_webhook(
    write: &mut Write,
    refund: &Refund,
    now_ms: i64,
) -> Result<(), LedgerError> {
    let event = match refund.state {
        RefundState::Succeeded => WebhookEvent::RefundSucceeded,
        RefundState::Closed => WebhookEvent::RefundClosed,
        RefundState::Abnormal => WebhookEvent::RefundAbnormal,
        RefundState::Refused => WebhookEvent::RefundRefused,
        RefundState::Requested | RefundState::Processing => return Ok(()),
    };
    let Some(order) = orders::find(&mut *write, refund.order_id).await? else {
        return Ok(());
    };
    // A duplicate payment's refund is retried each day: a repeated refusal is not reported again.
    let refusals = match refund.origin {
        RefundOrigin::Surplus => 0,
        RefundOrigin::Merchant | RefundOrigin::External => refund.refusals,
    };
    // Abnormal again after it was sent another way, or refused again after another try: a new
    // message.
    let key = format!(
        "{}\n{}\n{refusals}",
        refund.out_refund_no, refund.applications
    );
    outbox::put(write, event(refund_data(&order, refund)), &key, now_ms).await
}

fn refund_data(order: &Order, refund: &Refund) -> merchant_api::RefundData {
    merchant_api::RefundData {
        order: orders::order_data(order),
        refund_no: refund.out_refund_no.clone(),
        refund_id: refund.refund_id.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        sub_order_no: refund.sub_order_no.clone(),
        origin: refund.origin,
        state: refund.state,
        amount_fen: refund.amount_fen,
        reason: refund.reason.clone(),
        success_time: refund.success_time.clone(),
        wechat_code: refund.wechat_code.clone(),
    }
}
