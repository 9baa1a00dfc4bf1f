//! The course of a transfer to its final state: a refund, or a share of a payment. It is sent once, and
//! then queried until WeChat's state is final. Each step can be interrupted and repeated; the ledger
//! records before each call what is about to happen. An unclear result is queried under the same number,
//! and never repeated under another one.

use wechat_pay::{Operation, RetryWith};

use super::QueryError;
use crate::ledger::{LedgerError, Sending};
use crate::payments::Payments;
use crate::wechat::CallError;

/// The plan of queries for a transfer that WeChat accepted, as the time between two queries. The last
/// one repeats until the end: banks take days.
pub(crate) const QUERY_PLAN_MS: [i64; 7] = [
    10_000, 30_000, 60_000, 300_000, 1_800_000, 3_600_000, 21_600_000,
];

/// Where a transfer is on its course.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// WeChat has not confirmed yet that it accepted it.
    ToSend,
    /// WeChat accepted it, or a person has to act: it is queried.
    UnderWay,
    /// It is final, or WeChat refused it.
    Over,
}

/// What recording an answer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    /// The transfer moved into another state, and its next step is scheduled.
    Moved,
    /// Nothing changed: the schedule continues.
    Kept,
}

/// The result of querying a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// WeChat knows it, and the answer is in the ledger.
    Recorded(Recorded),
    /// WeChat has no such transfer.
    Unknown {
        /// Whether the answer was signed; an unsigned answer proves nothing.
        is_signed: bool,
    },
}

/// What WeChat said when it refused a transfer.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// When the transfer was sent.
    pub(crate) sent_ms: i64,
    pub(crate) wechat_code: String,
    pub(crate) wechat_message: String,
}

/// Money that moves once under one number.
pub(crate) trait Transfer {
    /// The operation that sends it.
    const OPERATION: Operation;
    /// What it is, for a log: "refund".
    const NOUN: &'static str;

    /// Its number at WeChat.
    fn number(&self) -> &str;

    /// Where it is on its course.
    fn stage(&self) -> Stage;

    /// Whether it was sent before, so that WeChat may know it.
    fn was_sent(&self) -> bool;

    /// Allows sending it, and records that first.
    async fn claim(&self, payments: &Payments, now_ms: i64) -> Result<Sending, LedgerError>;

    /// Sends its recorded body once, and records the answer.
    async fn send(&self, payments: &Payments, sent_ms: i64) -> Result<Recorded, QueryError>;

    /// Queries it, and records the answer.
    async fn query(&self, payments: &Payments) -> Result<Answer, QueryError>;

    /// Stores why it could not be sent yet, for people.
    async fn postpone(
        &self,
        payments: &Payments,
        wechat_code: &str,
        wechat_message: &str,
    ) -> Result<(), LedgerError>;

    /// Records that WeChat refused it. Returns when it is tried again, if at all.
    async fn refuse(&self, payments: &Payments, said: Said) -> Result<Option<i64>, LedgerError>;

    /// Schedules its next step, replacing the scheduled one.
    async fn schedule(
        &self,
        payments: &Payments,
        now_ms: i64,
        at_ms: i64,
    ) -> Result<(), LedgerError>;
}

/// Brings a transfer as far as possible now. Returns the time of the next step, unless it is scheduled
/// already or there is none. The caller holds the order's lock. `tries` counts the tries before this
/// one.
pub(crate) async fn step<T: Transfer>(
    payments: &Payments,
    transfer: &T,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    match transfer.stage() {
        Stage::ToSend => send(payments, transfer, tries).await,
        Stage::UnderWay => look(payments, transfer, tries).await,
        Stage::Over => Ok(None),
    }
}

/// The same at once, for the request that recorded the transfer. An uncertain result is no error: due
/// work resolves it.
pub(crate) async fn begin<T: Transfer>(
    payments: &Payments,
    transfer: &T,
) -> Result<(), LedgerError> {
    match step(payments, transfer, 0).await {
        Ok(None) => Ok(()),
        Ok(Some(at_ms)) => {
            let now_ms = payments.clock.now_ms();
            transfer.schedule(payments, now_ms, at_ms).await
        }
        Err(QueryError::Ledger(error)) => Err(error),
        Err(error) => {
            let number = transfer.number();
            tracing::warn!(kind = T::NOUN, number, %error, "it is not known yet whether WeChat took a transfer");
            Ok(())
        }
    }
}

async fn look<T: Transfer>(
    payments: &Payments,
    transfer: &T,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    let next_ms = payments.clock.now_ms() + interval_ms(&QUERY_PLAN_MS, tries + 1);
    let number = transfer.number();
    match transfer.query(payments).await {
        Ok(Answer::Recorded(Recorded::Moved)) => Ok(None),
        Ok(Answer::Recorded(Recorded::Kept)) => Ok(Some(next_ms)),
        Ok(Answer::Unknown { .. }) => {
            tracing::error!(
                event = "transfer.lost",
                kind = T::NOUN,
                number,
                "WeChat does not know a transfer any more that it took"
            );
            Ok(Some(next_ms))
        }
        // After a failure the schedule continues: the next query happens at its time.
        Err(QueryError::Wechat(error)) => {
            tracing::warn!(kind = T::NOUN, number, %error, "WeChat gave no answer about a transfer");
            Ok(Some(next_ms))
        }
        Err(error) => Err(error),
    }
}

/// Sends a transfer. If WeChat may know it, it is queried first. If WeChat does not know it, the same
/// bytes are sent again.
async fn send<T: Transfer>(
    payments: &Payments,
    transfer: &T,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    if transfer.was_sent()
        && let Answer::Recorded(recorded) = transfer.query(payments).await?
    {
        return Ok(after_answer(payments, recorded, tries));
    }
    let sent_ms = payments.clock.now_ms();
    match transfer.claim(payments, sent_ms).await? {
        Sending::Granted => {}
        Sending::NotBefore(at_ms) => return Ok(Some(at_ms)),
        Sending::MovedOn => return Ok(None),
    }
    match transfer.send(payments, sent_ms).await {
        Ok(recorded) => Ok(after_answer(payments, recorded, tries)),
        Err(QueryError::Wechat(error)) => {
            not_taken(payments, transfer, sent_ms, error, tries).await
        }
        Err(error) => Err(error),
    }
}

/// A matching answer moved the transfer and its schedule. After any other answer the schedule continues.
fn after_answer(payments: &Payments, recorded: Recorded, tries: u64) -> Option<i64> {
    match recorded {
        Recorded::Moved => None,
        Recorded::Kept => Some(payments.clock.now_ms() + interval_ms(&QUERY_PLAN_MS, tries + 1)),
    }
}

/// WeChat gave no answer, or a refusal. Only a signed refusal, confirmed by a signed answer to a
/// query, means that nothing happened.
async fn not_taken<T: Transfer>(
    payments: &Payments,
    transfer: &T,
    sent_ms: i64,
    error: CallError,
    tries: u64,
) -> Result<Option<i64>, QueryError> {
    let Some(next) = error.retry_with(T::OPERATION) else {
        return Err(error.into());
    };
    let wechat_code = error.wechat_code().unwrap_or_default();
    let wechat_message = error.wechat_message().unwrap_or_default();
    // A refusal counts only if it was signed: see the protocol's table.
    if next != RetryWith::AfterFix {
        transfer
            .postpone(payments, wechat_code, wechat_message)
            .await?;
        return Err(error.into());
    }
    match transfer.query(payments).await? {
        Answer::Recorded(recorded) => Ok(after_answer(payments, recorded, tries)),
        Answer::Unknown { is_signed: false } => Err(error.into()),
        Answer::Unknown { is_signed: true } => {
            let said = Said {
                sent_ms,
                wechat_code: wechat_code.to_owned(),
                wechat_message: wechat_message.to_owned(),
            };
            Ok(transfer.refuse(payments, said).await?)
        }
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
    fn a_transfer_is_queried_less_and_less_often_and_never_dropped() {
        let waits: Vec<_> = (0..9)
            .map(|tries| interval_ms(&QUERY_PLAN_MS, tries))
            .collect();
        assert_eq!(waits[..3], [10_000, 30_000, 60_000]);
        assert_eq!(waits[6..], [21_600_000; 3]);
        assert_eq!(interval_ms(&QUERY_PLAN_MS, u64::MAX), 21_600_000);
    }
}
