//! Due work: querying attempts without a notification, ending expired orders, querying unmatched
//! payments, completing refunds, sending webhooks. Each piece is idempotent, because a process that
//! ends in the middle leaves it to the next one.

pub(crate) mod backoff;
mod lanes;
mod loops;

use backoff::retry_after_ms;
pub use loops::run_for_ever;
use merchant_api::AttemptProduct;
use wechat_pay::OutTradeNo;

use crate::ledger::{
    Attempt, Checkout, DueWork, Ended, Evidence, Lane, LedgerError, QUERY_INTERVAL_MS, Work,
    learn_numbers,
};
use crate::orders::{sharing, shipping};
use crate::payments::Payments;
use crate::query::{QueryError, QueryOutcome};
use crate::refunds::Learned;
use crate::webhooks::NextTry;
use crate::wechat::{CallSource, TradeStatus};
use crate::{query, refunds, settlement, webhooks};

/// WeChat's plan for queries without a notification, as the time between two queries. The last one
/// repeats until the order ends.
const QUERY_PLAN_MS: [i64; 7] = [5_000, 30_000, 60_000, 180_000, 300_000, 600_000, 1_800_000];
/// The interval of queries of a code payment, and when it is reversed. WeChat's advice is to query
/// every 5 to 10 seconds, for about half a minute.
const CODE_PAY_QUERY_MS: i64 = 5_000;
const CODE_PAY_MS: i64 = 30_000;
/// Until this time after the start, a failed reversal is retried at the same interval.
const REVERSE_SOON_MS: i64 = 300_000;
/// The plan of queries for a refund that WeChat reported but does not know when it is queried.
const LEARN_PLAN_MS: [i64; 4] = [60_000, 600_000, 3_600_000, 21_600_000];
/// An order does not expire within this time of its newest attempt. WeChat raises a shorter
/// deadline, so a buyer may still be in the cashier.
const FIRST_MINUTES_MS: i64 = 5 * 60_000;
/// How long work waits after it found its order locked. WeChat may not be queried about the order
/// earlier.
const COME_BACK_MS: i64 = QUERY_INTERVAL_MS;
/// How long an order's expiry is delayed if setting the clock caused it; see
/// `payments/clock_steps.rs`.
const SECOND_LOOK_MS: i64 = 10_000;
/// A mismatch waits for a person anyway; queries about it end after about three days.
const MISMATCH_TRIES: u64 = 400;

/// How many orders are recorded as shown in one transaction.
const SHOWN_AT_ONCE: usize = 100;

/// When an attempt created at `created_ms` is first queried.
pub(crate) const fn first_query_ms(created_ms: i64) -> i64 {
    created_ms + QUERY_PLAN_MS[0]
}

/// When an unpaid order is ended: after its deadline, and not in the first minutes of its newest
/// attempt.
pub(crate) fn end_ms(expires_ms: i64, newest_attempt_ms: Option<i64>) -> i64 {
    newest_attempt_ms.map_or(expires_ms, |created_ms| {
        expires_ms.max(created_ms + FIRST_MINUTES_MS)
    })
}

impl Payments {
    /// Runs all work that is due now; returns the number of pieces. A piece that fails is postponed
    /// and does not delay the others.
    pub async fn run_due(&self) -> Result<usize, LedgerError> {
        self.write_buyer_figures().await?;
        let mut done = 0;
        for lane in Lane::ALL {
            done += self.run_lane(lane).await?;
        }
        Ok(done)
    }

    /// Writes what buyers' pages showed and were refused since the last time. What cannot be written is lost.
    async fn write_buyer_figures(&self) -> Result<(), LedgerError> {
        let (shown, problems) = self.buyer_figures.take();
        if !problems.is_empty() {
            self.ledger.add_buyer_figures(&[], &problems).await?;
        }
        for some in shown.chunks(SHOWN_AT_ONCE) {
            self.ledger.add_buyer_figures(some, &[]).await?;
        }
        Ok(())
    }

    /// Runs a piece of work that was taken.
    pub(crate) async fn perform(self, due: DueWork) -> Ended {
        let next = CallSource::DueWork.scope(run(&self, &due)).await;
        let now_ms = self.clock.now_ms();
        let (tries, mut queried) = (due.tries, None);
        let next = match next {
            Ok(Next::Done) => None,
            Ok(Next::At(at_ms)) => Some((at_ms, tries + 1)),
            Ok(Next::Untried(at_ms)) => Some((at_ms, tries)),
            Ok(Next::Queried {
                order_id,
                queried_ms,
                at_ms,
            }) => {
                queried = Some((order_id, queried_ms));
                at_ms.map(|at_ms| (at_ms, tries + 1))
            }
            Err(QueryError::Busy(_)) => Some((now_ms + COME_BACK_MS, tries)),
            Err(QueryError::TooEarly { retry_after_ms }) => Some((now_ms + retry_after_ms, tries)),
            Err(error) => {
                let log = &self.due_work_log;
                if let Some(left_out) = log.put_off.admit(self.clock.monotonic_ms()) {
                    tracing::warn!(work = due.work.as_str(), subject = due.subject, %error, left_out, "due work is put off");
                }
                Some((now_ms + retry_after_ms(tries), tries + 1))
            }
        };
        Ended {
            due,
            now_ms,
            next,
            queried,
        }
    }

    /// When [`Payments::run_due`] next has something to do.
    pub async fn next_due_ms(&self) -> Result<Option<i64>, LedgerError> {
        let mut next_ms = None;
        for lane in Lane::ALL {
            let lane_ms = self.ledger.next_due_ms(lane).await?;
            next_ms = next_ms.into_iter().chain(lane_ms).min();
        }
        Ok(next_ms)
    }
}

/// What to do next with a piece of work.
enum Next {
    Done,
    At(i64),
    /// Retry at this time without counting a try.
    Untried(i64),
    /// WeChat answered about an order. It is queried again at this time, if any.
    Queried {
        order_id: i64,
        queried_ms: i64,
        at_ms: Option<i64>,
    },
}

impl From<Option<i64>> for Next {
    fn from(next_ms: Option<i64>) -> Self {
        next_ms.map_or(Self::Done, Self::At)
    }
}

impl From<Option<NextTry>> for Next {
    fn from(next: Option<NextTry>) -> Self {
        match next {
            None => Self::Done,
            Some(NextTry::At(at_ms)) => Self::At(at_ms),
            Some(NextTry::Uncounted(at_ms)) => Self::Untried(at_ms),
        }
    }
}

async fn run(payments: &Payments, due: &DueWork) -> Result<Next, QueryError> {
    let DueWork {
        work,
        subject,
        tries,
        taken_ms: _,
        claimed_ms: _,
    } = due;
    match work {
        Work::QueryMismatch => query_mismatch(payments, due).await,
        Work::Refund => Ok(refunds::advance(payments, subject, *tries).await?.into()),
        Work::LearnRefund => {
            let (out_refund_no, out_trade_no) = learn_numbers(subject);
            let learned = refunds::learn(payments, out_refund_no, out_trade_no).await?;
            Ok(after_learning(learned, *tries, payments.clock.now_ms()))
        }
        Work::RefundSurplus => {
            refunds::refund_duplicate(payments, subject).await?;
            Ok(Next::Done)
        }
        Work::Share => Ok(sharing::advance(payments, subject, *tries).await?.into()),
        Work::UploadShipping => Ok(shipping::advance(payments, subject, *tries).await?.into()),
        Work::SendWebhook => Ok(webhooks::deliver(payments, subject, *tries).await?.into()),
        Work::QueryAttempt | Work::EndOrder => run_for_order(payments, due).await,
    }
}

async fn run_for_order(payments: &Payments, due: &DueWork) -> Result<Next, QueryError> {
    let Ok(order_id) = due.subject.parse() else {
        return Ok(Next::Done);
    };
    let _lock = payments.lock_order_for_due_work(order_id).await?;
    let Some(checkout) = payments.ledger.checkout(order_id).await? else {
        return Ok(Next::Done);
    };
    if due.work == Work::EndOrder {
        end_order(payments, &checkout).await
    } else {
        query_attempt(payments, &checkout, due).await
    }
}

async fn query_attempt(
    payments: &Payments,
    checkout: &Checkout,
    due: &DueWork,
) -> Result<Next, QueryError> {
    let is_open = checkout.order.state == merchant_api::OrderState::Open;
    let current = checkout.attempt.as_ref();
    let Some(attempt) = current.filter(|attempt| is_open && attempt.state.is_alive()) else {
        return Ok(Next::Done);
    };
    if attempt.product == AttemptProduct::CodePay {
        return query_code_payment(payments, attempt).await;
    }
    let next_ms = payments.clock.now_ms() + interval_ms(due.tries + 1);
    let queried_ms = match ask(payments, attempt, due.claimed_ms).await {
        Ok(queried_ms) => queried_ms,
        Err(error) => {
            let monotonic_ms = payments.clock.monotonic_ms();
            // The call was held back and not sent, so it is retried before the plan's next time.
            if let QueryError::Wechat(call) = &error
                && let Some(wait_ms) = call.held_back_ms(monotonic_ms)
            {
                let wait_ms = wait_ms.max(QUERY_INTERVAL_MS);
                return Ok(Next::Untried(payments.clock.now_ms() + wait_ms));
            }
            // After a failure the schedule continues: the next query happens at its time.
            if let Some(left_out) = payments.due_work_log.unanswered.admit(monotonic_ms) {
                tracing::warn!(order_no = checkout.order.order_no.as_str(), %error, left_out, "WeChat gave no answer about an order");
            }
            None
        }
    };
    // Ending the order queries WeChat once more.
    let at_ms = Some(next_ms).filter(|next_ms| *next_ms < checkout.order.expires_ms);
    Ok(match queried_ms {
        Some(queried_ms) => Next::Queried {
            order_id: checkout.order.id,
            queried_ms,
            at_ms,
        },
        None => at_ms.into(),
    })
}

/// Queries the attempt, unless the order was queried a moment before the work was taken. Returns
/// the time of the query.
async fn ask(
    payments: &Payments,
    attempt: &Attempt,
    claimed_ms: Option<i64>,
) -> Result<Option<i64>, QueryError> {
    if claimed_ms.is_some() {
        query::query_claimed(payments, attempt).await?;
    }
    Ok(claimed_ms)
}

/// A buyer types the password within seconds. The payment is queried every few seconds and reversed
/// after half a minute, so that another code can be scanned. WeChat sends no notification of code
/// payments.
async fn query_code_payment(payments: &Payments, attempt: &Attempt) -> Result<Next, QueryError> {
    let now_ms = payments.clock.now_ms();
    if now_ms >= attempt.created_ms + CODE_PAY_MS {
        return match query::end_attempt(payments, attempt).await {
            Ok(_) => Ok(Next::Done),
            // The payment may have succeeded meanwhile, and the buyer waits for its reversal.
            Err(error) if now_ms < attempt.created_ms + REVERSE_SOON_MS => {
                tracing::warn!(out_trade_no = attempt.out_trade_no.as_str(), %error, "a code payment is not taken back yet");
                Ok(Next::At(now_ms + CODE_PAY_QUERY_MS))
            }
            Err(error) => Err(error),
        };
    }
    let outcome = query::query_attempt(payments, attempt).await?;
    Ok(match outcome {
        QueryOutcome::Paid | QueryOutcome::Over => Next::Done,
        QueryOutcome::Waiting | QueryOutcome::NotFound => Next::At(now_ms + CODE_PAY_QUERY_MS),
    })
}

async fn end_order(payments: &Payments, checkout: &Checkout) -> Result<Next, QueryError> {
    let Checkout { order, attempt } = checkout;
    if order.state == merchant_api::OrderState::Open && !order.is_closing {
        let newest_ms = attempt.as_ref().map(|attempt| attempt.created_ms);
        let at_ms = end_ms(order.expires_ms, newest_ms);
        let now_ms = payments.clock.now_ms();
        if now_ms < at_ms {
            return Ok(Next::At(at_ms));
        }
        // A clock that is an hour ahead for a moment must not end every order of that hour.
        if payments
            .clock_steps
            .spares(&*payments.clock, order.id, at_ms)
        {
            return Ok(Next::At(now_ms + SECOND_LOOK_MS));
        }
    }
    close_now(payments, checkout).await?;
    Ok(Next::Done)
}

/// Ends the current attempt and, unless it was paid, the order.
pub(crate) async fn close_now(payments: &Payments, checkout: &Checkout) -> Result<(), QueryError> {
    if let Some(attempt) = &checkout.attempt
        && attempt.state.is_alive()
    {
        query::end_attempt(payments, attempt).await?;
    }
    let order = &checkout.order;
    let is_closed = payments
        .ledger
        .close_order(order.id, order.current_attempt, payments.clock.now_ms())
        .await?;
    if is_closed {
        tracing::info!(
            event = "order.closed",
            order_no = order.order_no.as_str(),
            "an order is closed"
        );
    }
    Ok(())
}

async fn query_mismatch(payments: &Payments, due: &DueWork) -> Result<Next, QueryError> {
    let now_ms = payments.clock.now_ms();
    let note = async |answer: &str| {
        payments
            .ledger
            .note_mismatch_answer(&due.subject, answer, now_ms)
            .await
    };
    let Ok(number) = OutTradeNo::parse(due.subject.clone()) else {
        note("the number cannot be one of ours").await?;
        return Ok(Next::Done);
    };
    let attempt = payments.ledger.attempt_with_number(&due.subject).await?;
    let asked = match attempt {
        Some(attempt) => payments.wechat.query(&attempt).await,
        None if payments.ledger.is_combined_mismatch(&due.subject).await? => {
            payments.wechat.query_combined(&number).await
        }
        None => {
            let sub_mchid = payments.ledger.sub_mchid_of_mismatch(&due.subject).await?;
            let sub_mchid = sub_mchid.as_deref();
            payments.wechat.query_other(&number, sub_mchid).await
        }
    };
    let status = match asked {
        Ok(status) => status,
        Err(error) if due.tries >= MISMATCH_TRIES => {
            note(&error.to_string()).await?;
            return Ok(Next::Done);
        }
        Err(error) => return Err(error.into()),
    };
    match status {
        TradeStatus::Paid(report) => {
            note(&report.json).await?;
            // If the answer matches after all, it settles the order like any other.
            settlement::record(payments, &Evidence::Query, &report).await?;
        }
        TradeStatus::NotPaid => note("NOTPAY").await?,
        TradeStatus::Closed => note("CLOSED").await?,
        TradeStatus::Failed => note("PAYERROR").await?,
        TradeStatus::Unknown => note("ORDER_NOT_EXIST").await?,
    }
    Ok(Next::Done)
}

/// The notification was acknowledged, so WeChat will not send it again: one "not found" is no
/// reason to forget a refund.
fn after_learning(learned: Learned, tries: u64, now_ms: i64) -> Next {
    let tries = usize::try_from(tries).unwrap_or(usize::MAX);
    let again_ms = LEARN_PLAN_MS
        .get(tries)
        .filter(|_| learned == Learned::NotFound);
    again_ms.map_or(Next::Done, |again_ms| Next::At(now_ms + again_ms))
}

fn interval_ms(tries: u64) -> i64 {
    let place = usize::try_from(tries).unwrap_or(usize::MAX);
    QUERY_PLAN_MS[place.min(QUERY_PLAN_MS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_closed_after_its_deadline_and_not_in_the_first_minutes_of_an_attempt() {
        let minute = 60_000;
        let cases = [
            (30 * minute, None, 30 * minute),
            (30 * minute, Some(minute), 30 * minute),
            (30 * minute, Some(29 * minute), 34 * minute),
            (minute, Some(0), 5 * minute),
        ];
        for (expires_ms, attempt_ms, expected) in cases {
            assert_eq!(end_ms(expires_ms, attempt_ms), expected);
        }
    }
}
