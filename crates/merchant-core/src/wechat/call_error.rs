//! Why a call to WeChat has no result, and what the error proves. Nothing here decides what a
//! refusal means for an order.

use serde::de::DeserializeOwned;
use wechat_pay::v2::{AnswerError, XmlError};
use wechat_pay::{
    KeyError, Operation, ReplyError, RetryWith, Unreadable, VerifiedReply, WechatError,
};

use super::call_budget::OverBudget;
use crate::surroundings::{NoRandomness, TransportError};

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The call could not be signed and was not sent.
    #[error("the call could not be signed: {0}")]
    Signing(#[from] KeyError),
    /// There were no random bytes for the signature; the call was not sent.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// A value breaks a rule of WeChat; the call was not sent.
    #[error("the call could not be built: {0}")]
    Field(#[from] wechat_pay::InvalidField),
    /// The request's address is not valid; the call was not sent.
    #[error("the call could not be built: {0}")]
    Request(#[from] http::Error),
    /// The recorded call cannot be read; it was not sent.
    #[error("the recorded call cannot be read: {0}")]
    Recorded(#[from] XmlError),
    /// The same of a combined order's recorded body.
    #[error("the recorded order cannot be read: {0}")]
    RecordedOrder(#[source] Unreadable),
    /// The configuration has no key any more for the version that made the recorded call; it was
    /// not sent.
    #[error("the configuration has no key of the API version that the call was recorded for")]
    NoKey,
    /// Version 2 wants the merchant certificate, and it is not configured; the call was not sent.
    #[error("the call needs merchant.certificate_file")]
    NoCertificate,
    /// The network failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// WeChat limited such calls a moment ago; the call was not sent.
    #[error("WeChat wants a pause from such calls")]
    Paused {
        /// Until when, on the monotonic clock, in milliseconds.
        until_ms: i64,
    },
    /// The server's own limit of calls is reached; the call was not sent.
    #[error(transparent)]
    OverBudget(#[from] OverBudget),
    /// Version 3: WeChat refused, or its answer could not be verified.
    #[error(transparent)]
    Reply(#[from] ReplyError),
    /// Version 2: the same.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// Version 2: WeChat took a reversal and asks for the same call again.
    #[error("WeChat has not reversed it yet and asks for the same call again")]
    Recall,
}

/// What a refusal of WeChat's says about the order or the refund, in one word for both versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The order is paid.
    Paid,
    /// The order is closed or reversed.
    Closed,
    /// Another order has the number.
    NumberUsed,
    /// WeChat has no order with the number.
    OrderUnknown,
    /// WeChat has no refund, share or return with the number.
    ResourceUnknown,
}

impl Reason {
    /// WeChat's codes. Its documents have two spellings of some.
    fn of(code: &str) -> Option<Self> {
        Some(match code {
            "ORDERPAID" | "ORDER_PAID" => Self::Paid,
            "ORDER_CLOSED" | "ORDERCLOSED" | "ORDERREVERSED" => Self::Closed,
            "OUT_TRADE_NO_USED" => Self::NumberUsed,
            "ORDER_NOT_EXIST" | "ORDERNOTEXIST" => Self::OrderUnknown,
            "RESOURCE_NOT_EXISTS" | "REFUNDNOTEXIST" => Self::ResourceUnknown,
            _ => return None,
        })
    }
}

impl CallError {
    /// A field of a verified answer of version 3 that cannot be used.
    pub(crate) fn unreadable(problem: Unreadable) -> Self {
        Self::Reply(ReplyError::Malformed(problem))
    }

    /// WeChat's refusal, if there is one and it is of version 3.
    pub(crate) fn wechat(&self) -> Option<&WechatError> {
        match self {
            Self::Reply(error) => error.wechat(),
            _ => None,
        }
    }

    /// WeChat's error code, if WeChat refused; empty if the refusal has none.
    pub(crate) fn wechat_code(&self) -> Option<&str> {
        match self {
            Self::Reply(error) => error.wechat().map(|error| error.code.as_str()),
            Self::Answer(error) => error.refusal().map(|refusal| refusal.code.as_str()),
            _ => None,
        }
    }

    /// WeChat's own message, if WeChat refused.
    pub(crate) fn wechat_message(&self) -> Option<&str> {
        match self {
            Self::Reply(error) => error.wechat().map(|error| error.message.as_str()),
            Self::Answer(error) => error.refusal().map(|refusal| refusal.message.as_str()),
            _ => None,
        }
    }

    /// What the refusal says, if it is one of the known ones.
    pub(crate) fn reason(&self) -> Option<Reason> {
        self.wechat_code().and_then(Reason::of)
    }

    /// What to do next after WeChat's refusal, if there is one.
    pub(crate) fn retry_with(&self, operation: Operation) -> Option<RetryWith> {
        match self {
            Self::Reply(error) => error.wechat().map(|error| error.retry_with(operation)),
            Self::Answer(error) => error.refusal().map(|refusal| refusal.retry_with(operation)),
            _ => None,
        }
    }

    /// Whether WeChat signed the refusal. Only a signed refusal proves something.
    pub(crate) fn is_signed(&self) -> bool {
        match self {
            Self::Reply(error) => error.wechat().is_some_and(|error| error.trusted),
            Self::Answer(error) => error.refusal().is_some_and(|refusal| refusal.trusted),
            _ => false,
        }
    }

    /// Whether WeChat refused permanently: the same call will be refused again. A page of a
    /// firewall or a proxy is not a refusal of WeChat.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Reply(error) => error
                .wechat()
                .is_some_and(|error| error.status < 500 && !error.is_retryable()),
            Self::Answer(error) => error
                .refusal()
                .is_some_and(|refusal| !refusal.is_retryable()),
            _ => false,
        }
    }

    /// The wait in milliseconds before a call that was held back here, and not sent, may be sent.
    pub(crate) fn held_back_ms(&self, monotonic_ms: i64) -> Option<i64> {
        match self {
            Self::Paused { until_ms } => Some(until_ms.saturating_sub(monotonic_ms)),
            Self::OverBudget(over) => Some(i64::try_from(over.retry_after_ms).unwrap_or(i64::MAX)),
            _ => None,
        }
    }

    /// Whether the call failed by our fault: it was not sent, and the same call cannot be sent
    /// later either.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::Signing(_)
                | Self::Randomness(_)
                | Self::Field(_)
                | Self::Request(_)
                | Self::Recorded(_)
                | Self::RecordedOrder(_)
                | Self::NoKey
                | Self::NoCertificate
        )
    }

    /// Whether nothing happened at WeChat, and a later call may succeed.
    pub(crate) fn is_unavailable(&self) -> bool {
        match self {
            Self::Transport(TransportError::NotSent(_))
            | Self::Paused { .. }
            | Self::OverBudget(_) => true,
            Self::Reply(error) => error.wechat().is_some_and(|error| error.status == 429),
            Self::Answer(error) => error
                .refusal()
                .is_some_and(wechat_pay::v2::Refusal::is_rate_limit),
            _ => false,
        }
    }
}

/// Reads an answer, and logs the optional fields that are not understood.
pub(crate) fn read_noting<T: DeserializeOwned>(reply: &VerifiedReply) -> Result<T, ReplyError> {
    let read = reply.read()?;
    if !read.left_out.is_empty() {
        let fields = read.left_out.join(" ");
        tracing::warn!(
            event = "answer.left_out",
            fields,
            "optional fields of an answer of WeChat's are not in the documented form"
        );
    }
    Ok(read.value)
}
