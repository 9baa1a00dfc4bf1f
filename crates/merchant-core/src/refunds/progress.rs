//! A refund as a transfer: what it sends, how it is queried, and what becomes of it when WeChat refuses
//! it. Its course is that of every transfer ([`course`]).

use merchant_api::{RefundOrigin, RefundState};
use wechat_pay::Operation;

use super::updates;
use crate::ledger::{LedgerError, Refund, RefundRecorded, Refusal, Sending};
use crate::payments::Payments;
use crate::query::QueryError;
use crate::query::course::{self, Answer, Recorded, Said, Stage, Transfer};
use crate::wechat::RefundStatus;

/// The retry times of a duplicate payment's refund that WeChat refused, mostly for lack of funds.
/// After the last retry, the refund is reported, and then retried once a day: see
/// [`super::duplicate_payment`].
const DUPLICATE_PLAN_MS: [i64; 10] = [
    600_000, 3_600_000, 21_600_000, 43_200_000, 86_400_000, 86_400_000, 86_400_000, 86_400_000,
    86_400_000, 86_400_000,
];

/// Brings a refund as far as possible now. Returns the time of the next step, unless it is
/// scheduled already or there is none. `tries` counts the tries before this one.
pub(crate) async fn advance(
    payments: &Payments,
    out_refund_no: &str,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    let Some(refund) = payments.ledger.refund(out_refund_no).await? else {
        return Ok(None);
    };
    let _lock = payments.lock_order_for_due_work(refund.order_id).await?;
    // The previous holder of the lock may have advanced it.
    let Some(refund) = payments.ledger.refund(out_refund_no).await? else {
        return Ok(None);
    };
    course::step(payments, &refund, tries).await
}

impl Transfer for Refund {
    const OPERATION: Operation = Operation::Refund;
    const NOUN: &'static str = "refund";

    fn number(&self) -> &str {
        self.out_refund_no.as_str()
    }

    fn stage(&self) -> Stage {
        match self.state {
            RefundState::Requested => Stage::ToSend,
            RefundState::Processing | RefundState::Abnormal => Stage::UnderWay,
            RefundState::Refused | RefundState::Succeeded | RefundState::Closed => Stage::Over,
        }
    }

    fn was_sent(&self) -> bool {
        self.sent_ms.is_some()
    }

    async fn claim(&self, payments: &Payments, now_ms: i64) -> Result<Sending, LedgerError> {
        payments.ledger.claim_sending(self, now_ms).await
    }

    async fn send(&self, payments: &Payments, sent_ms: i64) -> Result<Recorded, QueryError> {
        let Some(body) = self.body.clone() else {
            return Err(LedgerError::Column("refunds.body").into());
        };
        let report = payments.wechat.send_refund(self.api, body).await?;
        let recorded = updates::record_answer(payments, &report, sent_ms).await?;
        Ok(effect(&recorded))
    }

    async fn query(&self, payments: &Payments) -> Result<Answer, QueryError> {
        let number = &self.out_refund_no;
        let sent_ms = payments.clock.now_ms();
        let parties = updates::parties(payments, self.out_trade_no.as_str()).await?;
        let status = payments
            .wechat
            .query_refund(self.api, number, &parties)
            .await?;
        match status {
            RefundStatus::Known(report) => {
                let recorded = updates::record_answer(payments, &report, sent_ms).await?;
                Ok(Answer::Recorded(effect(&recorded)))
            }
            RefundStatus::Unknown { is_signed } => Ok(Answer::Unknown { is_signed }),
        }
    }

    async fn postpone(
        &self,
        payments: &Payments,
        wechat_code: &str,
        wechat_message: &str,
    ) -> Result<(), LedgerError> {
        let ledger = &payments.ledger;
        ledger
            .note_postponement(self, wechat_code, wechat_message)
            .await
    }

    async fn refuse(&self, payments: &Payments, said: Said) -> Result<Option<i64>, LedgerError> {
        let tries = usize::try_from(self.refusals).unwrap_or(usize::MAX);
        let again_ms = DUPLICATE_PLAN_MS
            .get(tries)
            .filter(|_| self.origin == RefundOrigin::Surplus);
        tracing::error!(
            event = "refund.refused",
            refund_no = self.number(),
            wechat_code = said.wechat_code,
            message = said.wechat_message,
            is_tried_again = self.origin == RefundOrigin::Surplus,
            "WeChat does not take a refund"
        );
        let refusal = Refusal {
            sent_ms: said.sent_ms,
            wechat_code: said.wechat_code,
            wechat_message: said.wechat_message,
            is_tried_again: again_ms.is_some(),
        };
        let now_ms = payments.clock.now_ms();
        payments.ledger.note_refusal(self, &refusal, now_ms).await?;
        Ok(again_ms.map(|again_ms| now_ms + again_ms))
    }

    async fn schedule(
        &self,
        payments: &Payments,
        now_ms: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError> {
        let number = &self.out_refund_no;
        payments.ledger.schedule_refund(number, now_ms, at_ms).await
    }
}

fn effect(recorded: &RefundRecorded) -> Recorded {
    match recorded {
        RefundRecorded::Moved(_) | RefundRecorded::TakenIn(_) => Recorded::Moved,
        RefundRecorded::Known | RefundRecorded::Mismatch { .. } => Recorded::Kept,
    }
}
