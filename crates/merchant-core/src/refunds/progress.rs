//! The course of a refund to its final state: sent once, then queried until WeChat's status is final.
//! Each step can be interrupted and repeated; the ledger records before each call what is about to
//! happen.

use merchant_api::{RefundOrigin, RefundState};
use wechat_pay::{Operation, RetryWith};

use super::query_plan::QUERY_PLAN_MS;
use super::updates;
use crate::ledger::{LedgerError, Refund, RefundRecorded, Refusal, Sending};
use crate::payments::Payments;
use crate::query::QueryError;
use crate::wechat::{CallError, RefundStatus};

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
    step(payments, &refund, tries).await
}

/// The same as [`advance`], for a caller that holds the order's lock. An uncertain result is no
/// error: due work resolves it.
pub(super) async fn advance_now(payments: &Payments, refund: &Refund) -> Result<(), LedgerError> {
    match step(payments, refund, 0).await {
        Ok(None) => Ok(()),
        Ok(Some(at_ms)) => {
            let number = &refund.out_refund_no;
            let now_ms = payments.clock.now_ms();
            payments.ledger.schedule_refund(number, now_ms, at_ms).await
        }
        Err(QueryError::Ledger(error)) => Err(error),
        Err(error) => {
            tracing::warn!(refund_no = refund.out_refund_no.as_str(), %error, "it is not known yet whether WeChat took a refund");
            Ok(())
        }
    }
}

async fn step(payments: &Payments, refund: &Refund, tries: u64) -> Result<Option<i64>, QueryError> {
    match refund.state {
        RefundState::Requested => send(payments, refund, tries).await,
        RefundState::Processing | RefundState::Abnormal => look(payments, refund, tries).await,
        RefundState::Refused | RefundState::Succeeded | RefundState::Closed => Ok(None),
    }
}

async fn look(payments: &Payments, refund: &Refund, tries: u64) -> Result<Option<i64>, QueryError> {
    let next_ms = payments.clock.now_ms() + interval_ms(&QUERY_PLAN_MS, tries + 1);
    match query(payments, refund).await {
        Ok(Answer::Recorded(RefundRecorded::Moved(_) | RefundRecorded::TakenIn(_))) => Ok(None),
        Ok(Answer::Recorded(_)) => Ok(Some(next_ms)),
        Ok(Answer::Unknown { .. }) => {
            tracing::error!(
                event = "refund.lost",
                refund_no = refund.out_refund_no.as_str(),
                "WeChat does not know a refund any more that it took"
            );
            Ok(Some(next_ms))
        }
        // After a failure the schedule continues: the next query happens at its time.
        Err(QueryError::Wechat(error)) => {
            tracing::warn!(refund_no = refund.out_refund_no.as_str(), %error, "WeChat gave no answer about a refund");
            Ok(Some(next_ms))
        }
        Err(error) => Err(error),
    }
}

/// Sends a refund. If WeChat may know it, it is queried first. If WeChat does not know it, the same
/// bytes are sent again, a minute later.
async fn send(payments: &Payments, refund: &Refund, tries: u64) -> Result<Option<i64>, QueryError> {
    if refund.sent_ms.is_some()
        && let Answer::Recorded(recorded) = query(payments, refund).await?
    {
        return Ok(after_answer(payments, &recorded, tries));
    }
    let Some(body) = refund.body.clone() else {
        return Err(LedgerError::Column("refunds.body").into());
    };
    let sent_ms = payments.clock.now_ms();
    match payments.ledger.claim_sending(refund, sent_ms).await? {
        Sending::Granted => {}
        Sending::NotBefore(at_ms) => return Ok(Some(at_ms)),
        Sending::MovedOn => return Ok(None),
    }
    match payments.wechat.send_refund(refund.api, body).await {
        Ok(refund_report) => {
            let recorded = updates::record_answer(payments, &refund_report, sent_ms).await?;
            Ok(after_answer(payments, &recorded, tries))
        }
        Err(error) => not_taken(payments, refund, sent_ms, error, tries).await,
    }
}

/// A matching answer moved the refund and its schedule. After any other answer the schedule continues.
fn after_answer(payments: &Payments, recorded: &RefundRecorded, tries: u64) -> Option<i64> {
    match recorded {
        RefundRecorded::Moved(_) | RefundRecorded::TakenIn(_) => None,
        RefundRecorded::Known | RefundRecorded::Mismatch { .. } => {
            Some(payments.clock.now_ms() + interval_ms(&QUERY_PLAN_MS, tries + 1))
        }
    }
}

/// WeChat gave no answer, or a refusal. Only a signed refusal, confirmed by a signed answer to a
/// query, means that nothing happened.
async fn not_taken(
    payments: &Payments,
    refund: &Refund,
    sent_ms: i64,
    error: CallError,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    let Some(next) = error.retry_with(Operation::Refund) else {
        return Err(error.into());
    };
    let code = error.wechat_code().unwrap_or_default();
    let message = error.wechat_message().unwrap_or_default();
    // A refusal counts only if it was signed: see the protocol's table.
    if next != RetryWith::AfterFix {
        payments
            .ledger
            .note_postponement(refund, code, message)
            .await?;
        return Err(error.into());
    }
    match query(payments, refund).await? {
        Answer::Recorded(recorded) => Ok(after_answer(payments, &recorded, tries)),
        Answer::Unknown { is_signed: false } => Err(error.into()),
        Answer::Unknown { is_signed: true } => {
            let said = (code.to_owned(), message.to_owned());
            refuse(payments, refund, sent_ms, said).await
        }
    }
}

async fn refuse(
    payments: &Payments,
    refund: &Refund,
    sent_ms: i64,
    (wechat_code, wechat_message): (String, String),
) -> Result<Option<i64>, QueryError> {
    let tries = usize::try_from(refund.refusals).unwrap_or(usize::MAX);
    let again_ms = DUPLICATE_PLAN_MS
        .get(tries)
        .filter(|_| refund.origin == RefundOrigin::Surplus);
    tracing::error!(
        event = "refund.refused",
        refund_no = refund.out_refund_no.as_str(),
        wechat_code,
        message = wechat_message,
        is_tried_again = refund.origin == RefundOrigin::Surplus,
        "WeChat does not take a refund"
    );
    let refusal = Refusal {
        sent_ms,
        wechat_code,
        wechat_message,
        is_tried_again: again_ms.is_some(),
    };
    let now_ms = payments.clock.now_ms();
    payments
        .ledger
        .note_refusal(refund, &refusal, now_ms)
        .await?;
    Ok(again_ms.map(|again_ms| now_ms + again_ms))
}

/// The result of querying a refund of ours.
enum Answer {
    /// WeChat knows the refund, and its answer is in the ledger.
    Recorded(RefundRecorded),
    Unknown {
        is_signed: bool,
    },
}

async fn query(payments: &Payments, refund: &Refund) -> Result<Answer, QueryError> {
    let number = &refund.out_refund_no;
    let sent_ms = payments.clock.now_ms();
    let parties = updates::parties(payments, refund.out_trade_no.as_str()).await?;
    match payments
        .wechat
        .query_refund(refund.api, number, &parties)
        .await?
    {
        RefundStatus::Known(refund_report) => Ok(Answer::Recorded(
            updates::record_answer(payments, &refund_report, sent_ms).await?,
        )),
        RefundStatus::Unknown { is_signed } => Ok(Answer::Unknown { is_signed }),
    }
}

fn interval_ms(plan_ms: &[i64], tries: u64) -> i64 {
    let place = usize::try_from(tries).unwrap_or(usize::MAX);
    let last = plan_ms.len().saturating_sub(1);
    plan_ms.get(place.min(last)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_is_queried_less_and_less_often_and_never_dropped() {
        let waits: Vec<_> = (0..9)
            .map(|tries| interval_ms(&QUERY_PLAN_MS, tries))
            .collect();
        assert_eq!(waits[..3], [10_000, 30_000, 60_000]);
        assert_eq!(waits[6..], [21_600_000; 3]);
        assert_eq!(interval_ms(&QUERY_PLAN_MS, u64::MAX), 21_600_000);
    }
}
