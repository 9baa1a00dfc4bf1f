//! Counts of the calls to WeChat, for `/metrics`. The number of rows is bounded by operations and
//! outcomes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use wechat_pay::v2::AnswerError;
use wechat_pay::{Operation, ReplyError, SignatureError};

use super::CallError;
use crate::surroundings::TransportError;

/// Tries by operation and outcome.
#[derive(Debug, Default)]
pub(crate) struct WechatCalls(Mutex<BTreeMap<(&'static str, &'static str), u64>>);

impl WechatCalls {
    /// Counts one try.
    pub(super) fn count(&self, operation: Operation, outcome: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((word(operation), outcome)).or_default() += 1;
    }

    /// All counts: operation, outcome, number.
    pub(crate) fn all(&self) -> Vec<(&'static str, &'static str, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .map(|(&(operation, outcome), &count)| (operation, outcome, count))
            .collect()
    }
}

/// The word for an operation, in metrics and logs.
pub(super) const fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::Order => "order",
        Operation::CodePay => "code_pay",
        Operation::Query => "query",
        Operation::Close => "close",
        Operation::Reverse => "reverse",
        Operation::Refund => "refund",
        Operation::AbnormalRefund => "abnormal_refund",
        Operation::RefundQuery => "refund_query",
        Operation::Share => "share",
        Operation::ShareReturn => "share_return",
        Operation::ShareQuery => "share_query",
        Operation::Receiver => "receiver",
        Operation::Bill => "bill",
        Operation::BillFile => "bill_file",
        Operation::Certificates => "certificates",
        _ => "other",
    }
}

/// The word for the outcome of a failed try.
pub(super) fn outcome(error: &CallError) -> &'static str {
    match error {
        CallError::Transport(TransportError::NotSent(_)) => "not_sent",
        CallError::Transport(TransportError::NoAnswer(_)) => "no_answer",
        CallError::Paused { .. } => "paused",
        CallError::OverBudget(_) => "over_budget",
        CallError::Signing(_)
        | CallError::Randomness(_)
        | CallError::Field(_)
        | CallError::Request(_)
        | CallError::Recorded(_)
        | CallError::RecordedOrder(_)
        | CallError::NoKey
        | CallError::NoCertificate => "unbuilt",
        CallError::Answer(error) => outcome_of_v2(error),
        CallError::Recall => "not_yet",
        CallError::Reply(error) => match error {
            ReplyError::Signature(SignatureError::Probe) => "probe",
            ReplyError::Signature(_) => "disbelieved",
            ReplyError::NotYet => "not_yet",
            ReplyError::Wechat(said) if !said.is_wechats() => "disbelieved",
            ReplyError::Wechat(said) if said.status == 429 => "rate_limited",
            ReplyError::Wechat(said) if said.status >= 500 => "unavailable",
            ReplyError::Wechat(_) => "refused",
            _ => "malformed",
        },
    }
}

/// The same words for an answer of version 2. WeChat does not sign its refusals of a whole message.
fn outcome_of_v2(error: &AnswerError) -> &'static str {
    match error {
        AnswerError::Signature(_) => "disbelieved",
        AnswerError::Refused(said) if said.is_rate_limit() => "rate_limited",
        AnswerError::Refused(said) if said.is_retryable() => "unavailable",
        AnswerError::Refused(_) => "refused",
        AnswerError::UnexpectedStatus(500..) => "unavailable",
        _ => "malformed",
    }
}
