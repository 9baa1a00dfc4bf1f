//! Refund updates that have no effect until WeChat was queried: unsigned notifications, and updates
//! that do not match. They are stored, reported and queried.

use ledger_database::query;
use merchant_api::{RefundMismatchData, RefundState, WebhookEvent};

use super::mismatches::next_no;
use super::notifications::{Numbers, keep_notification};
use super::refunds::find_refund;
use super::{
    Evidence, Ledger, LedgerError, RefundRecorded, RefundUpdate, Wait, Work, Write, outbox,
    schedule,
};

impl Ledger {
    /// Records an unsigned notification of a refund, and schedules a query unless it reports the
    /// known state.
    pub(crate) async fn record_unverified_refund(
        &self,
        evidence: &Evidence,
        out_refund_no: &str,
        out_trade_no: &str,
        hinted: Option<RefundState>,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            let known = find_refund(self.merchant, &mut write, out_refund_no).await?;
            let is_new_state = known.is_none_or(|refund| Some(refund.state) != hinted);
            if is_new_state {
                let subject = learn_subject(out_refund_no, out_trade_no);
                schedule::schedule(&mut write, Work::LearnRefund, &subject, Wait::over(now_ms))
                    .await?;
            }
            let numbers = Numbers {
                out_trade_no: Some(out_trade_no),
                transaction_id: None,
                out_refund_no: Some(out_refund_no),
            };
            let outcome = if is_new_state { "asked" } else { "known" };
            keep_notification(&mut write, evidence, numbers, outcome, now_ms).await?;
            write.commit().await?;
            Ok(())
        })
        .await
    }

    /// Stores WeChat's answer to the query about an unmatched refund.
    pub(crate) async fn note_refund_mismatch_answer(
        &self,
        out_refund_no: &str,
        answer: &str,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            for statement in [
                "UPDATE refund_mismatches SET queried_ms = ?, query_answer = ?
                 WHERE merchant = ? AND out_refund_no = ? AND queried_ms IS NULL",
                "UPDATE kept_notifications SET queried_ms = ?, query_answer = ?
                 WHERE merchant = ? AND out_refund_no = ? AND queried_ms IS NULL",
            ] {
                query(statement)
                    .bind(now_ms)
                    .bind(answer)
                    .bind(self.merchant)
                    .bind(out_refund_no)
                    .execute(&mut write)
                    .await?;
            }
            write.commit().await?;
            Ok(())
        })
        .await
    }

    /// Schedules a query about a refund that another source names, such as a bill.
    pub(crate) async fn schedule_learning(
        &self,
        out_refund_no: &str,
        out_trade_no: &str,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        let subject = learn_subject(out_refund_no, out_trade_no);
        self.schedule(Work::LearnRefund, &subject, Wait::over(now_ms))
            .await
    }
}

/// Stores an update that does not match, reports it once and schedules a query.
pub(super) async fn keep_mismatch(
    write: &mut Write,
    update: &RefundUpdate,
    reason: &'static str,
    now_ms: i64,
) -> Result<RefundRecorded, LedgerError> {
    let no = next_no(write).await?;
    let kept = query(
        "INSERT INTO refund_mismatches (merchant, out_refund_no, refund_id, reason, resource,
                                        received_ms, no)
         VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    )
    .bind(write.merchant())
    .bind(&update.out_refund_no)
    .bind(&update.refund_id)
    .bind(reason)
    .bind(&update.resource)
    .bind(now_ms)
    .bind(no)
    .execute(&mut *write)
    .await?;
    let is_new = kept > 0;
    if is_new {
        let subject = learn_subject(&update.out_refund_no, &update.out_trade_no);
        schedule::schedule(write, Work::LearnRefund, &subject, Wait::over(now_ms)).await?;
        let event = WebhookEvent::RefundMismatch(RefundMismatchData {
            refund_no: update.out_refund_no.clone(),
            refund_id: update.refund_id.clone(),
            out_trade_no: update.out_trade_no.clone(),
            amount_fen: update.amount_fen,
            reason: reason.to_owned(),
        });
        let key = format!("{}\n{}\n{reason}", update.out_refund_no, update.refund_id);
        outbox::put(write, event, &key, now_ms).await?;
    }
    Ok(RefundRecorded::Mismatch { reason, is_new })
}

/// The subject of [`Work::LearnRefund`]: both numbers with a blank between them. Neither number can
/// have a blank.
pub(super) fn learn_subject(out_refund_no: &str, out_trade_no: &str) -> String {
    format!("{out_refund_no} {out_trade_no}")
}

/// The numbers of such a subject: the refund's and the payment's.
pub(crate) fn learn_numbers(subject: &str) -> (&str, &str) {
    subject.split_once(' ').unwrap_or((subject, ""))
}
