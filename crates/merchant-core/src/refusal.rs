//! Why a call is refused: the contract's error code, and the field if a field is wrong. How a
//! refusal becomes an answer is not known here.
//!
//! A refusal is logged once, where it leaves the program ([`Refusal::log`]). Internal causes (the
//! database, a signature) appear only in the log.

use log_output::QuietLog;
use merchant_api::{ApiError, CheckoutAnswer, ErrorCode};
use wechat_pay::InvalidField;

use crate::ledger::LedgerError;
use crate::payments::{OrderBusy, Overloaded, RETRY_MS};
use crate::surroundings::{Clock as _, NoRandomness, SystemClock};
use crate::wechat::CallError;

/// The retry time after an uncertain result, in milliseconds: due work resolves it meanwhile.
pub(crate) const DOUBT_RETRY_MS: u64 = 2_000;

/// The retry time while the database cannot be used, in milliseconds.
const DATABASE_RETRY_MS: u64 = 1_000;

/// Throttles the log lines about database errors.
static LEDGER_FAILURES: QuietLog = QuietLog::new();

/// A call that was refused or failed.
#[derive(Debug)]
pub enum Refusal {
    /// The call was refused; the caller gets the reason.
    Refused(Box<ApiError>),
    /// Another page or device has taken over; the present state.
    Superseded(Box<CheckoutAnswer>),
    /// An internal fault.
    Internal(String),
    /// A database error.
    Ledger(LedgerError),
}

impl Refusal {
    /// A refusal with its code.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused(Box::new(ApiError::new(code, message)))
    }

    /// A field that breaks a rule. `rule` continues the sentence that begins with the field's name.
    pub fn field(code: ErrorCode, field: &str, rule: &str) -> Self {
        Self::from(ApiError::new(code, format!("{field} {rule}")).with_field(field))
    }

    /// A field that breaks a rule of this server.
    pub fn invalid(field: &str, rule: &str) -> Self {
        Self::field(ErrorCode::InvalidRequest, field, rule)
    }

    /// A field that WeChat would refuse, found before anything is sent.
    pub(crate) fn invalid_field(error: &InvalidField) -> Self {
        Self::invalid(error.field, &error.rule.to_string())
    }

    /// It is not known yet whether the last attempt took effect; due work finds out.
    pub fn in_doubt(reason: &str, wechat_code: Option<&str>) -> Self {
        let mut error = ApiError::new(
            ErrorCode::AttemptInDoubt,
            format!("it is not known yet whether the last attempt took effect: {reason}"),
        );
        error.retry_after_ms = Some(DOUBT_RETRY_MS);
        error.wechat_code = wechat_code.map(str::to_owned);
        Self::from(error)
    }

    /// The same where it is known when an answer can be expected: in `wait_ms` milliseconds.
    pub(crate) fn in_doubt_for(reason: &str, wait_ms: u64) -> Self {
        let mut refusal = Self::in_doubt(reason, None);
        if let Self::Refused(error) = &mut refusal {
            error.retry_after_ms = Some(wait_ms.max(DOUBT_RETRY_MS));
        }
        refusal
    }

    /// An order call that failed. It is in doubt if its effect is not known.
    pub(crate) fn of_order(error: &CallError) -> Self {
        if error.is_ours() {
            return Self::Internal(error.to_string());
        }
        let code = if error.is_refusal() {
            ErrorCode::WechatRefused
        } else if error.is_unavailable() {
            ErrorCode::WechatUnavailable
        } else {
            return Self::in_doubt(&error.to_string(), error.wechat_code());
        };
        let mut refused = ApiError::new(code, error.to_string());
        // A refusal of the older API may have a text alone, which is in the message.
        let wechat_code = error.wechat_code().filter(|code| !code.is_empty());
        refused.wechat_code = wechat_code.map(str::to_owned);
        if refused.retryable {
            refused.retry_after_ms = Some(match error {
                CallError::OverBudget(over) => over.retry_after_ms.max(DOUBT_RETRY_MS),
                _ => DOUBT_RETRY_MS,
            });
        }
        Self::from(refused)
    }

    /// The refusal as the contract writes it. A caller learns no detail of our own faults.
    pub fn api_error(self) -> ApiError {
        match self {
            Self::Refused(error) => *error,
            Self::Superseded(_) => ApiError::new(
                ErrorCode::AttemptSuperseded,
                "another page or device has taken over",
            ),
            Self::Ledger(error) if error.is_unavailable() => {
                let mut error = ApiError::new(
                    ErrorCode::DatabaseUnavailable,
                    "the server's database cannot be used at the moment; repeat the call",
                );
                error.retry_after_ms = Some(DATABASE_RETRY_MS);
                error
            }
            Self::Internal(_) | Self::Ledger(_) => {
                ApiError::new(ErrorCode::Internal, "the fault is the server's; try again")
            }
        }
    }

    /// The contract's code.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(error) => error.code.unwrap_or(ErrorCode::Internal),
            Self::Superseded(_) => ErrorCode::AttemptSuperseded,
            Self::Ledger(error) if error.is_unavailable() => ErrorCode::DatabaseUnavailable,
            Self::Internal(_) | Self::Ledger(_) => ErrorCode::Internal,
        }
    }

    /// Logs the failure, for a caller that answers with something else than the JSON error.
    pub fn log(&self) {
        match self {
            Self::Superseded(answer) => tracing::info!(
                code = ErrorCode::AttemptSuperseded.as_str(),
                order_no = answer.order_no,
                "refused"
            ),
            Self::Internal(reason) => tracing::error!(reason, "a call failed by our fault"),
            // A full disk makes every call fail, and the log may be on the same disk.
            Self::Ledger(error) => {
                if let Some(left_out) = LEDGER_FAILURES.admit(SystemClock.monotonic_ms()) {
                    tracing::error!(reason = %error, left_out, "a call failed by our fault");
                }
            }
            Self::Refused(error) => {
                let code = error.code.map_or("", ErrorCode::as_str);
                let ApiError {
                    message,
                    field,
                    wechat_code,
                    ..
                } = &**error;
                if error.code.is_some_and(|code| code.status() >= 500) {
                    tracing::warn!(code, wechat_code, message, "WeChat did not do as asked");
                } else {
                    tracing::info!(code, field, message, "refused");
                }
            }
        }
    }
}

impl std::fmt::Display for Refusal {
    /// For the operator on the command line, who may read everything.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(error) => {
                let code = error.code.map_or("", ErrorCode::as_str);
                write!(f, "{code}: {}", error.message)?;
                match &error.wechat_code {
                    Some(wechat_code) => write!(f, " ({wechat_code})"),
                    None => Ok(()),
                }
            }
            Self::Superseded(_) => f.write_str(ErrorCode::AttemptSuperseded.as_str()),
            Self::Internal(reason) => f.write_str(reason),
            Self::Ledger(error) => error.fmt(f),
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<OrderBusy> for Refusal {
    fn from(error: OrderBusy) -> Self {
        let mut refused = ApiError::new(ErrorCode::RateLimited, error.to_string());
        refused.retry_after_ms = Some(DOUBT_RETRY_MS);
        Self::from(refused)
    }
}

impl From<Overloaded> for Refusal {
    fn from(error: Overloaded) -> Self {
        let mut refused = ApiError::new(ErrorCode::RateLimited, error.to_string());
        refused.retry_after_ms = Some(RETRY_MS);
        Self::from(refused)
    }
}

impl From<NoRandomness> for Refusal {
    fn from(error: NoRandomness) -> Self {
        Self::Internal(error.to_string())
    }
}
