//! What happens to the machine. Each event is a plain fact that the shell brings.

use merchant_api::{ApiError, CheckoutAnswer, Malformed};

use crate::bridge_reply::BridgeReply;
use crate::effect::RequestId;
use crate::facts::Injected;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The element is in the page and may begin.
    Connected,
    /// The time asked for by `Effect::WakeAt` has come; may also come early or late.
    Woke,
    /// The backend answered.
    Answered {
        /// Which request.
        id: RequestId,
        /// What it said.
        answer: Box<CheckoutAnswer>,
    },
    /// A request brought no answer.
    Failed {
        /// Which request.
        id: RequestId,
        /// Why.
        failure: Failure,
    },
    /// What WeChat and the page have put into the window by now: when the awaited bridge is there,
    /// and before each thing that the buyer wants.
    Injected(Injected),
    /// The cashier's callback. It may come late, twice, or never.
    BridgeReplied(BridgeReply),
    /// The mini-program's page could not be opened; with WeChat's own words.
    MiniProgramFailed(String),
    /// Another tab of this browser, at the same order, says something.
    PeerSpoke {
        /// Who: of two tabs that ask, the one with the lower rank goes on.
        rank: u64,
        /// What.
        word: PeerWord,
    },
    /// The page is visible again, was shown from the back-forward cache, or got the focus.
    Resumed,
    /// The page is hidden.
    Hidden,
    /// The network is back.
    Online,
    /// The network is gone.
    Offline,
    /// The buyer, or the page in the buyer's name, wants something.
    Wanted(Intent),
    /// The element is gone for good. Whatever happens after it has no effect.
    Destroyed,
}

/// What tabs at the same order tell each other, so that one of them asks for all. Hints alone:
/// what is true a tab hears from the backend itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerWord {
    /// It asks the backend, and may be held for so long, in milliseconds.
    Asks(u64),
    /// It asks no more.
    Stopped,
    /// The backend told it something new.
    News,
}

/// What the buyer can want. An intent that does not fit the moment is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Pay, by the way that is offered first. Also: try again.
    Start,
    /// Pay by the way that is offered beside it.
    StartFallback,
    /// A new QR code.
    Refresh,
    /// "Bring it back here": take over from another device.
    TakeOver,
    /// "I have paid": ask WeChat.
    CheckPayment,
    /// "I had a problem": offer the way again.
    ReportTrouble,
    /// End the attempt.
    Cancel,
    /// The buyer is back, says the page: show what follows, and ask the backend once. For pages
    /// that bring the buyer back without leaving (a mini-program, a modal that was reopened).
    Resume,
}

impl Intent {
    /// The word of the `data-intent` attribute, and of the element's own methods.
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

    /// The intent of a word; `None` for another word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|intent| intent.as_str() == word)
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

/// Why a request brought no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The backend refused, in the contract's envelope; with `ATTEMPT_SUPERSEDED` the answer
    /// comes along.
    Refused {
        /// What it said.
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
    /// Nothing came back.
    Unreachable,
    /// What came back breaks the contract.
    Malformed(Malformed),
}
