//! Why a call to WeChat has no result, and what the error proves. Nothing here decides what a
//! refusal means for an order.

use serde::de::DeserializeOwned;
use wechat_pay::{KeyError, ReplyError, VerifiedReply, WechatError};

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
    /// WeChat refused, or its answer could not be verified.
    #[error(transparent)]
    Reply(#[from] ReplyError),
}

impl CallError {
    /// WeChat's refusal, if there is one.
    pub(crate) fn wechat(&self) -> Option<&WechatError> {
        match self {
            Self::Reply(error) => error.wechat(),
            _ => None,
        }
    }

    /// WeChat's error code, if there is one.
    pub(crate) fn wechat_code(&self) -> Option<&str> {
        self.wechat().map(|error| error.code.as_str())
    }

    /// Whether WeChat signed the refusal. Only a signed refusal proves something.
    pub(crate) fn is_signed(&self) -> bool {
        self.wechat().is_some_and(|error| error.trusted)
    }

    /// Whether WeChat refused permanently: the same call will be refused again. A page of a
    /// firewall or a proxy is not a refusal of WeChat.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            Self::Reply(error) => error
                .wechat()
                .is_some_and(|error| error.status < 500 && !error.is_retryable()),
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
            Self::Signing(_) | Self::Randomness(_) | Self::Field(_) | Self::Request(_)
        )
    }

    /// Whether nothing happened at WeChat, and a later call may succeed.
    pub(crate) fn is_unavailable(&self) -> bool {
        match self {
            Self::Transport(TransportError::NotSent(_))
            | Self::Paused { .. }
            | Self::OverBudget(_) => true,
            Self::Reply(error) => error.wechat().is_some_and(|error| error.status == 429),
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
