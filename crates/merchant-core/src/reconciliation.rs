//! Queries WeChat about every attempt and refund since a moment, and compares the answers with the
//! ledger. This is for the day after something went wrong. What WeChat confirms is recorded in the
//! usual way (`settlement`). The other differences are reported to a person.

use merchant_api::RefundState;
use payment_values::OutRefundNo;
use wechat_pay::Operation;

use crate::ledger::{Attempt, AttemptState, Evidence, LedgerError, Recorded};
use crate::payments::{Payments, Queue};
use crate::query::QueryError;
use crate::refunds::Learned;
use crate::settlement::Settlement;
use crate::wechat::TradeStatus;
use crate::{refunds, settlement};

/// How often a query is repeated after WeChat's pause. A pause is 5 s or more.
const MOST_PAUSES: u32 = 20;

/// A payment's answer does not name its refunds; the bill of a refund's day does.
const UNKNOWN_REFUND: &str = "refunded, by a refund that only the bill of its day names";

/// The states that a refund reaches only by WeChat's report.
const REPORTED_STATES: [RefundState; 3] = [
    RefundState::Succeeded,
    RefundState::Abnormal,
    RefundState::Closed,
];

/// One difference between WeChat and the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The number of the attempt (`out_trade_no`) or of the refund (`out_refund_no`).
    pub number: String,
    /// The state in the ledger, in one word.
    pub here: String,
    /// WeChat's state, or why there is none.
    pub there: String,
    /// What was done about it; empty if a person has to act.
    pub done: &'static str,
}

/// The result of the reconciliation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// How many attempts and refunds were queried.
    pub asked: usize,
    /// The differences.
    pub findings: Vec<Finding>,
}

impl Payments {
    /// Queries every attempt and every refund that was created at `since_ms` (milliseconds since
    /// 1970) or later. It can run beside a server and be repeated.
    pub async fn reconcile(&self, since_ms: i64) -> Result<Reconciled, LedgerError> {
        let numbers = self.ledger.numbers_since(since_ms).await?;
        let refund_numbers = self.ledger.refund_numbers_since(since_ms).await?;
        let mut reconciled = Reconciled::default();
        for number in numbers {
            // The attempt may have changed since the list was read.
            let Some(attempt) = self.ledger.attempt_by_out_trade_no(number.as_str()).await? else {
                continue;
            };
            reconciled.asked += 1;
            let compare = async || self.compare(&attempt).await;
            let finding = self.retry_after_pause(Operation::Query, compare).await?;
            reconciled.findings.extend(finding);
        }
        for number in refund_numbers {
            reconciled.asked += 1;
            let compare = async || self.compare_refund(&number).await;
            let finding = self
                .retry_after_pause(Operation::RefundQuery, compare)
                .await?;
            reconciled.findings.extend(finding);
        }
        Ok(reconciled)
    }

    /// Compares one number. If WeChat is called too often, the call waits for WeChat's pause and is
    /// repeated: thousands of queries in a row can cause that, and no buyer waits for these.
    async fn retry_after_pause(
        &self,
        operation: Operation,
        compare: impl AsyncFn() -> Result<Option<Finding>, LedgerError>,
    ) -> Result<Option<Finding>, LedgerError> {
        let mut finding = compare().await?;
        for _ in 0..MOST_PAUSES {
            // A difference that was resolved is reported and not checked again.
            let is_open = finding.as_ref().is_some_and(|found| found.done.is_empty());
            if !is_open || !self.wechat.wait_out_pause(operation).await {
                break;
            }
            finding = compare().await?;
        }
        Ok(finding)
    }

    async fn compare_refund(&self, number: &OutRefundNo) -> Result<Option<Finding>, LedgerError> {
        let state = async || -> Result<String, LedgerError> {
            let refund = self.ledger.refund(number.as_str()).await?;
            Ok(refund.map_or_else(String::new, |refund| refund.state.as_str().to_owned()))
        };
        let Some(refund) = self.ledger.refund(number.as_str()).await? else {
            return Ok(None);
        };
        let here = refund.state.as_str().to_owned();
        let (there, done) =
            match refunds::learn(self, number.as_str(), refund.out_trade_no.as_str()).await {
                // A refund that only the ledger has may not be at WeChat yet. A refund that WeChat
                // reported must be there.
                Ok(Learned::NotFound) if REPORTED_STATES.contains(&refund.state) => {
                    (word(&TradeStatus::Unknown).to_owned(), "")
                }
                Ok(_) => (state().await?, "recorded"),
                Err(QueryError::Ledger(error)) => return Err(error),
                Err(error) => (error.to_string(), ""),
            };
        Ok((here != there).then(|| Finding {
            number: number.to_string(),
            here,
            there,
            done,
        }))
    }

    async fn compare(&self, attempt: &Attempt) -> Result<Option<Finding>, LedgerError> {
        let found = |there: &str, done| {
            Ok(Some(Finding {
                number: attempt.out_trade_no.to_string(),
                here: attempt.state.as_str().to_owned(),
                there: there.to_owned(),
                done,
            }))
        };
        let _lock = match self.lock_order(attempt.order_id, Queue::Backend).await {
            Ok(lock) => lock,
            Err(busy) => return found(&busy.to_string(), ""),
        };
        let status = match self.wechat.query(attempt).await {
            Ok(status) => status,
            Err(error) => return found(&error.to_string(), ""),
        };
        match (attempt.state, status) {
            (_, TradeStatus::Paid(report)) => {
                match settlement::record(self, &Evidence::Query, &report).await? {
                    Settlement::Ours(Recorded::Known) => {
                        if self
                            .ledger
                            .has_unknown_refund(&attempt.out_trade_no)
                            .await?
                        {
                            found(UNKNOWN_REFUND, "")
                        } else {
                            Ok(None)
                        }
                    }
                    Settlement::Ours(Recorded::Settled) => found("paid", "the order is paid now"),
                    Settlement::Ours(Recorded::Surplus) => found("paid", "kept as surplus"),
                    Settlement::Mismatch => found("paid", "kept as a mismatch"),
                    // Only notifications yield this; it is unreachable for a query.
                    Settlement::QueryScheduled => Ok(None),
                }
            }
            (AttemptState::Prepared | AttemptState::Open, TradeStatus::Closed) => {
                self.ledger
                    .end_attempt(attempt, AttemptState::Closed)
                    .await?;
                found("closed", "closed here, too")
            }
            (AttemptState::Paid | AttemptState::Surplus, status) => found(word(&status), ""),
            (AttemptState::Closed, TradeStatus::NotPaid) => found("not paid and open", ""),
            (AttemptState::Open, TradeStatus::Unknown) => found("unknown", ""),
            _ => Ok(None),
        }
    }
}

fn word(status: &TradeStatus) -> &'static str {
    match status {
        TradeStatus::Paid(_) => "paid",
        TradeStatus::NotPaid => "not paid",
        TradeStatus::Closed => "closed",
        TradeStatus::Failed => "failed",
        TradeStatus::Unknown => "unknown",
    }
}
