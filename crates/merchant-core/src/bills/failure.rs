//! Why there is no bill, and the answer to the backend in that case.

use merchant_api::{ApiError, ErrorCode};
use wechat_pay::bill::BillError;
use wechat_pay::{InvalidField, Operation, ReplyError, RetryWith};

use crate::ledger::LedgerError;
use crate::refusal::Refusal;
use crate::wechat::CallError;

/// The retry time of a failed download, in milliseconds, unless WeChat's own advice is longer: half an
/// hour for a bill that is still being made.
const FAILED_RETRY_MS: u64 = 10_000;

/// Why there is no bill.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BillFailure {
    /// The sub-merchant is not configured; the rule that it breaks.
    #[error("sub_mchid {0}")]
    SubMchid(&'static str),
    /// The configuration has no key of version 3.
    #[error("only version 3 of WeChat's API has the flow of funds")]
    OnlyV3,
    /// A number of ours that the protocol refuses.
    #[error(transparent)]
    Request(#[from] InvalidField),
    /// The download failed.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The file cannot be used.
    #[error(transparent)]
    Bill(#[from] BillError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// This machine's disk failed.
    #[error("the bill's file cannot be kept: {0}")]
    Disk(#[from] std::io::Error),
}

impl From<BillFailure> for Refusal {
    fn from(error: BillFailure) -> Self {
        let refused = |code, error: &BillFailure, retry_after_ms, wechat_code: Option<&str>| {
            let mut refused = ApiError::new(code, error.to_string());
            refused.wechat_code = wechat_code.map(str::to_owned);
            refused.retry_after_ms = retry_after_ms;
            Self::from(refused)
        };
        if let BillFailure::Ledger(error) = error {
            return error.into();
        }
        match &error {
            BillFailure::SubMchid(rule) => Self::invalid("sub_mchid", rule),
            BillFailure::OnlyV3 => refused(ErrorCode::WechatRefused, &error, None, None),
            BillFailure::Call(call) if call.is_ours() => Self::Internal(error.to_string()),
            BillFailure::Call(CallError::Reply(ReplyError::Malformed(_))) => {
                refused(ErrorCode::BillUnreadable, &error, None, None)
            }
            BillFailure::Call(call) if call.is_refusal() => {
                refused(ErrorCode::WechatRefused, &error, None, call.wechat_code())
            }
            BillFailure::Call(call) => {
                let wait_ms = match call.retry_with(Operation::Bill) {
                    Some(RetryWith::SameRequest { after_s }) => {
                        FAILED_RETRY_MS.max(u64::from(after_s) * 1_000)
                    }
                    _ => FAILED_RETRY_MS,
                };
                let code = ErrorCode::WechatUnavailable;
                refused(code, &error, Some(wait_ms), call.wechat_code())
            }
            BillFailure::Bill(bill) if bill.is_transient() => refused(
                ErrorCode::WechatUnavailable,
                &error,
                Some(FAILED_RETRY_MS),
                None,
            ),
            // WeChat's own file: another download has the same content.
            BillFailure::Bill(_) => refused(ErrorCode::BillUnreadable, &error, None, None),
            BillFailure::Request(_) | BillFailure::Ledger(_) | BillFailure::Disk(_) => {
                Self::Internal(error.to_string())
            }
        }
    }
}
