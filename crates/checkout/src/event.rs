//! What the shell reports to the machine. Each event is a plain fact.

use std::str::FromStr;

use merchant_api::{ApiError, CheckoutAnswer, Malformed};

use crate::bridge_reply::BridgeReply;
use crate::effect::RequestId;
use crate::facts::Injected;
use crate::peer_message::PeerMessage;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The element is in the page and may begin.
    Connected,
    /// The timer of `Effect::WakeAt` fired. It may fire early or late.
    Woke,
    /// The backend answered a request.
    Answered {
        /// The id of the request.
        id: RequestId,
        /// The answer.
        answer: Box<CheckoutAnswer>,
    },
    /// A request brought no answer.
    Failed {
        /// The id of the request.
        id: RequestId,
        /// The cause.
        failure: Failure,
    },
    /// What WeChat and the page have put into the window by now. Reported when the awaited bridge
    /// exists, and before each of the buyer's intents.
    Injected(Injected),
    /// The cashier's callback. It may come late, twice, or never.
    BridgeReplied(BridgeReply),
    /// The mini-program's page could not be opened; the text is WeChat's error message.
    MiniProgramFailed(String),
    /// A message from another tab of this browser that shows the same order.
    FromPeer {
        /// The sender's rank. Of two tabs that poll, the one with the lower rank continues.
        rank: u64,
        /// The message.
        message: PeerMessage,
    },
    /// The page became visible, was restored from the back-forward cache, or got the focus.
    Resumed,
    /// The page became hidden.
    Hidden,
    /// The network is available again.
    Online,
    /// The network is unavailable.
    Offline,
    /// The buyer, or the page on the buyer's behalf, wants something.
    Intent(Intent),
    /// The element was destroyed. No later event has an effect.
    Destroyed,
}

/// What the buyer can want. An intent that does not fit the current stage is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Pay with the method that is offered first. Also: try again.
    Start,
    /// Pay with the method that is offered as the fallback.
    StartFallback,
    /// Get a new QR code.
    Refresh,
    /// "Bring it back here": take over from another device.
    TakeOver,
    /// "I have paid": query WeChat.
    CheckPayment,
    /// "I had a problem": offer the method again.
    ReportTrouble,
    /// End the attempt.
    Cancel,
    /// The page says that the buyer is back: show the return panel, and poll the backend once. For
    /// pages that return the buyer without a navigation (a mini-program, a modal that was
    /// reopened).
    Resume,
}

impl Intent {
    /// The value of the `data-intent` attribute, and the name of the element's method.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::StartFallback => "start-fallback",
            Self::Refresh => "refresh",
            Self::TakeOver => "take-over",
            Self::CheckPayment => "check-payment",
            Self::ReportTrouble => "report-trouble",
            Self::Cancel => "cancel",
            Self::Resume => "resume",
        }
    }

    /// Every intent.
    pub const ALL: [Self; 8] = [
        Self::Start,
        Self::StartFallback,
        Self::Refresh,
        Self::TakeOver,
        Self::CheckPayment,
        Self::ReportTrouble,
        Self::Cancel,
        Self::Resume,
    ];
}

/// The error for a text that names no [`Intent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownIntent;

impl FromStr for Intent {
    type Err = UnknownIntent;

    fn from_str(text: &str) -> Result<Self, UnknownIntent> {
        let intent = Self::ALL.into_iter().find(|intent| intent.as_str() == text);
        intent.ok_or(UnknownIntent)
    }
}

/// Why a request brought no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The backend refused, in the contract's envelope. With `ATTEMPT_SUPERSEDED` the envelope also
    /// holds the current answer.
    Refused {
        /// The error of the envelope.
        error: ApiError,
        /// The answer's fields beside the error.
        answer: Option<Box<CheckoutAnswer>>,
    },
    /// The backend refused without the envelope (a proxy's page, another backend).
    Status {
        /// The HTTP status.
        status: u16,
        /// `Retry-After`, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// No response arrived.
    Unreachable,
    /// The response breaks the contract.
    Malformed(Malformed),
}
