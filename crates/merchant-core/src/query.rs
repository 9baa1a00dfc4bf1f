//! Querying WeChat about an attempt, and ending one. When these functions return, the answer is in
//! the ledger.

pub(crate) mod course;

use merchant_api::AttemptProduct;

use crate::ledger::{Attempt, AttemptState, Checkout, Evidence, LedgerError, QUERY_INTERVAL_MS};
use crate::payments::{OrderBusy, Payments};
use crate::refusal::Refusal;
use crate::settlement;
use crate::settlement::Settlement;
use crate::wechat::{CallError, Closing, TradeStatus};

/// Why a query has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// WeChat gave no answer that can be trusted.
    #[error(transparent)]
    Wechat(#[from] CallError),
    /// Other calls hold the order's lock: WeChat was not queried.
    #[error(transparent)]
    Busy(#[from] OrderBusy),
    /// Version 2 does not close a young order. It can still be paid.
    #[error(
        "WeChat closes an order only when it is five minutes old, and until then it can be paid"
    )]
    TooEarly {
        /// How long until WeChat closes it, in milliseconds.
        retry_after_ms: i64,
    },
    /// WeChat's answers contradict each other for now: paid at close, not paid at query.
    #[error("WeChat says that it is paid, and does not say so when asked")]
    Contradiction,
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Ledger(error) => error.into(),
            QueryError::Wechat(error) if error.is_ours() => Refusal::Internal(error.to_string()),
            QueryError::Wechat(error) => Refusal::in_doubt(&error.to_string(), error.wechat_code()),
            QueryError::Busy(error) => error.into(),
            QueryError::TooEarly { retry_after_ms } => {
                let wait_ms = u64::try_from(retry_after_ms).unwrap_or_default();
                Refusal::in_doubt_for(&error.to_string(), wait_ms)
            }
            QueryError::Contradiction => Refusal::in_doubt(&error.to_string(), None),
        }
    }
}

/// The result of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryOutcome {
    /// The attempt is paid, and the payment is recorded.
    Paid,
    /// The attempt has ended: it is closed at WeChat, or the number is not ours.
    Over,
    /// The attempt still waits for the buyer.
    Waiting,
    /// WeChat has no such order.
    NotFound,
}

/// Queries the current attempt, unless it was queried a moment ago. Callers hold the order's lock,
/// so that a second caller finds the first one's answer.
pub(crate) async fn query_unless_recent(
    payments: &Payments,
    checkout: &Checkout,
) -> Result<(), QueryError> {
    let Some(attempt) = &checkout.attempt else {
        return Ok(());
    };
    let (ledger, now_ms) = (&payments.ledger, payments.clock.now_ms());
    let was_queried = was_queried_a_moment_ago(checkout.order.queried_ms, now_ms);
    // Another server on the same database may have queried since the order was read.
    if attempt.state.is_alive()
        && !was_queried
        && ledger.claim_query(attempt.order_id, now_ms).await?
    {
        query_claimed(payments, attempt).await?;
        // Only now: `checked_ms` must not be set before the answer is in the ledger.
        ledger.note_answer(attempt.order_id, now_ms).await?;
    }
    Ok(())
}

/// A query time in the future means that the system clock was set back since: it is ignored.
fn was_queried_a_moment_ago(queried_ms: Option<i64>, now_ms: i64) -> bool {
    queried_ms.is_some_and(|queried_ms| (0..QUERY_INTERVAL_MS).contains(&(now_ms - queried_ms)))
}

/// Queries an attempt.
pub(crate) async fn query_attempt(
    payments: &Payments,
    attempt: &Attempt,
) -> Result<QueryOutcome, QueryError> {
    let queried_ms = payments.clock.now_ms();
    payments
        .ledger
        .note_query(attempt.order_id, queried_ms)
        .await?;
    let outcome = query_claimed(payments, attempt).await?;
    // Only now: `checked_ms` must not be set before the answer is in the ledger.
    payments
        .ledger
        .note_answer(attempt.order_id, queried_ms)
        .await?;
    Ok(outcome)
}

/// Queries an attempt. The caller records that WeChat is being queried, and that it answered.
pub(crate) async fn query_claimed(
    payments: &Payments,
    attempt: &Attempt,
) -> Result<QueryOutcome, QueryError> {
    let status = payments.wechat.query(attempt).await?;
    record_status(payments, attempt, status).await
}

/// Records WeChat's answer about an attempt.
pub(crate) async fn record_status(
    payments: &Payments,
    attempt: &Attempt,
    status: TradeStatus,
) -> Result<QueryOutcome, QueryError> {
    let over = async |state| -> Result<QueryOutcome, QueryError> {
        payments.ledger.end_attempt(attempt, state).await?;
        Ok(QueryOutcome::Over)
    };
    match status {
        TradeStatus::Paid(report) => {
            match settlement::record(payments, &Evidence::Query, &report).await? {
                Settlement::Ours(_) => Ok(QueryOutcome::Paid),
                // Only notifications yield this; it is unreachable for a query.
                Settlement::QueryScheduled => Ok(QueryOutcome::Waiting),
                Settlement::Mismatch => over(AttemptState::Refused).await,
            }
        }
        TradeStatus::Closed => over(AttemptState::Closed).await,
        TradeStatus::Failed => {
            // Reversed as well, so that a late answer of the bank cannot make it succeed.
            if let Closing::TooEarly { retry_after_ms } = payments.wechat.reverse(attempt).await? {
                return Err(QueryError::TooEarly { retry_after_ms });
            }
            over(AttemptState::Closed).await
        }
        TradeStatus::NotPaid => {
            if attempt.product == AttemptProduct::CodePay {
                payments.ledger.note_taken(attempt).await?;
            }
            Ok(QueryOutcome::Waiting)
        }
        TradeStatus::Unknown => Ok(QueryOutcome::NotFound),
    }
}

/// Ends an attempt: query, then close, or reverse for a code payment. Afterwards the attempt is
/// paid or ended. If that is not certain, this returns an error and concludes nothing.
pub(crate) async fn end_attempt(
    payments: &Payments,
    attempt: &Attempt,
) -> Result<QueryOutcome, QueryError> {
    let outcome = query_attempt(payments, attempt).await?;
    if matches!(outcome, QueryOutcome::Paid | QueryOutcome::Over) {
        return Ok(outcome);
    }
    // Closing also invalidates a number that WeChat does not know yet, so that a delayed order
    // cannot become payable later.
    let closing = if attempt.product == AttemptProduct::CodePay {
        payments.wechat.reverse(attempt).await?
    } else {
        payments.wechat.close(attempt).await?
    };
    match closing {
        Closing::Closed => {
            payments
                .ledger
                .end_attempt(attempt, AttemptState::Closed)
                .await?;
            Ok(QueryOutcome::Over)
        }
        Closing::TooEarly { retry_after_ms } => Err(QueryError::TooEarly { retry_after_ms }),
        Closing::Paid => match query_attempt(payments, attempt).await? {
            QueryOutcome::Waiting | QueryOutcome::NotFound => Err(QueryError::Contradiction),
            outcome => Ok(outcome),
        },
    }
}
