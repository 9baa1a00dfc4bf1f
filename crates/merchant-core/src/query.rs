//! Asking WeChat about an attempt, and ending one. Whatever the answer is, it is in the ledger
//! when these return.

use merchant_api::AttemptProduct;
use wechat_pay::OutTradeNo;

use crate::ledger::{Attempt, AttemptState, Checkout, Evidence, LedgerError, QUERY_INTERVAL_MS};
use crate::payments::{OrderBusy, Payments};
use crate::refusal::Refusal;
use crate::settlement;
use crate::settlement::Settlement;
use crate::wechat::{CallError, Closing, Standing};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// WeChat did not answer, or not in a way to be believed.
    #[error(transparent)]
    Wechat(#[from] CallError),
    /// Others work on the order: nothing was asked.
    #[error(transparent)]
    Busy(#[from] OrderBusy),
    /// WeChat's answers contradict each other for now: paid at close, not paid at query.
    #[error("WeChat says that it is paid, and does not say so when asked")]
    Contradiction,
}

impl From<Unanswered> for Refusal {
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::Ledger(error) => error.into(),
            Unanswered::Wechat(error) if error.is_ours() => Refusal::Internal(error.to_string()),
            Unanswered::Wechat(error) => Refusal::in_doubt(&error.to_string(), error.wechat_code()),
            Unanswered::Busy(error) => error.into(),
            Unanswered::Contradiction => Refusal::in_doubt(&error.to_string(), None),
        }
    }
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The money came, and is recorded.
    Paid,
    /// It is over: its number is closed at WeChat, or is not ours.
    Over,
    /// It still waits for the buyer.
    Waiting,
    /// WeChat never heard of it.
    Unheard,
}

/// Asks about the current attempt, unless WeChat was asked a moment ago. Callers hold the order's
/// lock, so that a second one finds the first one's answer.
pub(crate) async fn ask_unless_asked(
    payments: &Payments,
    checkout: &Checkout,
) -> Result<(), Unanswered> {
    let Some(attempt) = &checkout.attempt else {
        return Ok(());
    };
    let was_asked = was_asked_a_moment_ago(checkout.order.asked_ms, payments.clock.now_ms());
    if attempt.state.is_alive() && !was_asked {
        ask(payments, attempt).await?;
    }
    Ok(())
}

/// A question that lies ahead was asked by a clock that has been put right since: it says nothing.
fn was_asked_a_moment_ago(asked_ms: Option<i64>, now_ms: i64) -> bool {
    asked_ms.is_some_and(|asked_ms| (0..QUERY_INTERVAL_MS).contains(&(now_ms - asked_ms)))
}

/// Asks about an attempt.
pub(crate) async fn ask(payments: &Payments, attempt: &Attempt) -> Result<Finding, Unanswered> {
    let asked_ms = payments.clock.now_ms();
    payments
        .ledger
        .note_asked(attempt.order_id, asked_ms)
        .await?;
    let finding = ask_claimed(payments, attempt).await?;
    // Only now: "checked" must not be said of an answer that is not in the ledger yet.
    payments
        .ledger
        .note_checked(attempt.order_id, asked_ms)
        .await?;
    Ok(finding)
}

/// Asks about an attempt. The caller has noted that WeChat is being asked, and notes that there was
/// an answer.
pub(crate) async fn ask_claimed(
    payments: &Payments,
    attempt: &Attempt,
) -> Result<Finding, Unanswered> {
    let standing = payments
        .wechat
        .query(&number(attempt)?, attempt.parties.sub_mchid.as_deref())
        .await?;
    conclude(payments, attempt, standing).await
}

/// Records what WeChat says about an attempt.
pub(crate) async fn conclude(
    payments: &Payments,
    attempt: &Attempt,
    standing: Standing,
) -> Result<Finding, Unanswered> {
    let over = async |state| -> Result<Finding, Unanswered> {
        payments.ledger.end_attempt(attempt, state).await?;
        Ok(Finding::Over)
    };
    match standing {
        Standing::Paid(told) => {
            match settlement::record(payments, &Evidence::Query, &told).await? {
                Settlement::Ours(_) => Ok(Finding::Paid),
                // Said of letters alone.
                Settlement::Asked => Ok(Finding::Waiting),
                Settlement::Mismatch => over(AttemptState::Refused).await,
            }
        }
        Standing::Closed => over(AttemptState::Closed).await,
        Standing::Failed => {
            // Reversed as well, so that no late answer of the bank can turn it round.
            payments
                .wechat
                .reverse(&number(attempt)?, &attempt.parties)
                .await?;
            over(AttemptState::Closed).await
        }
        Standing::NotPaid => {
            if attempt.product == AttemptProduct::CodePay {
                payments.ledger.note_taken(attempt).await?;
            }
            Ok(Finding::Waiting)
        }
        Standing::Unknown => Ok(Finding::Unheard),
    }
}

/// Ends an attempt: query, then close, or reverse where the buyer's code was taken. Afterwards it
/// is paid or over; where that is not sure, this says so and nothing was concluded.
pub(crate) async fn end(payments: &Payments, attempt: &Attempt) -> Result<Finding, Unanswered> {
    let finding = ask(payments, attempt).await?;
    if matches!(finding, Finding::Paid | Finding::Over) {
        return Ok(finding);
    }
    let number = number(attempt)?;
    // Closing burns a number that WeChat does not know yet, too: an order of ours that is still
    // on its way cannot come to life later.
    let closing = if attempt.product == AttemptProduct::CodePay {
        payments.wechat.reverse(&number, &attempt.parties).await?
    } else {
        let sub_mchid = attempt.parties.sub_mchid.as_deref();
        payments.wechat.close(&number, sub_mchid).await?
    };
    match closing {
        Closing::Closed => {
            payments
                .ledger
                .end_attempt(attempt, AttemptState::Closed)
                .await?;
            Ok(Finding::Over)
        }
        Closing::Paid => match ask(payments, attempt).await? {
            Finding::Waiting | Finding::Unheard => Err(Unanswered::Contradiction),
            finding => Ok(finding),
        },
    }
}

fn number(attempt: &Attempt) -> Result<OutTradeNo, Unanswered> {
    OutTradeNo::parse(attempt.out_trade_no.clone())
        .map_err(|_| LedgerError::Column("attempts.out_trade_no").into())
}
