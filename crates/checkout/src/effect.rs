//! What the machine asks the shell to do. The shell performs an effect and decides nothing.

use merchant_api::{AttemptForm, CancelForm, PayParameters, PollQuery};

use crate::destination::{AuthorizeUrl, H5Url, MiniProgramPath, SuccessUrl};
use crate::peer_message::PeerMessage;
use crate::problem::Problem;
use crate::scene::Scene;

/// Identifies a request, so that its answer is recognised and a stale answer is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u32);

/// One action for the shell to perform.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a request to the backend. The result is `Answered` or `Failed`, or nothing if the
    /// request is aborted.
    Send {
        /// The id that the answer must carry.
        id: RequestId,
        /// The request to send.
        request: Request,
    },
    /// Abort a request. No result of it may arrive any more.
    Abort(RequestId),
    /// Set the only timer to this time, in the machine's milliseconds, or stop it (`None`).
    WakeAt(Option<u64>),
    /// Wait for `WeixinJSBridge` and report it as `Injected`.
    AwaitBridge,
    /// Call `getBrandWCPayRequest` with these parameters.
    InvokeCashier(PayParameters),
    /// Call the SDK's `wx.chooseWXPay` with these parameters.
    InvokeSdk(PayParameters),
    /// Navigate the whole page to another address.
    Navigate(Destination),
    /// Reload the page at its present address, and remember that it was reloaded.
    Reload,
    /// Send a message to the other tabs of this browser that show the same order.
    NotifyPeers(PeerMessage),
    /// Remove the payer and return handles from the page's address.
    StripAddress,
    /// Store a mark that the buyer left for `h5_url` (`true`), or remove it (`false`).
    MarkDeparture(bool),
    /// Emit an event to the page.
    Emit(Occurrence),
}

/// A request to the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `GET {base}/checkouts/{token}`.
    Read(PollQuery),
    /// `POST {base}/checkouts/{token}/attempts`.
    Start(AttemptForm),
    /// `POST {base}/checkouts/{token}/cancel`.
    Cancel(CancelForm),
}

/// Where the page navigates to. Every variant holds a checked address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// WeChat's middle page.
    H5(H5Url),
    /// WeChat's OAuth page, which returns the buyer with an openid.
    Authorize(AuthorizeUrl),
    /// A page of the mini-program that shows this web-view. The result is `MiniProgramFailed` if it
    /// cannot be opened.
    MiniProgram(MiniProgramPath),
    /// The merchant's page after a payment.
    Success(SuccessUrl),
}

impl Destination {
    /// The address as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::H5(url) => url.as_str(),
            Self::Authorize(url) => url.as_str(),
            Self::MiniProgram(path) => path.as_str(),
            Self::Success(url) => url.as_str(),
        }
    }
}

/// What is reported to the page, as a DOM event of the element.
#[derive(Clone, Debug, PartialEq)]
pub enum Occurrence {
    /// `ready`: the first answer has arrived. Emitted once.
    Ready,
    /// `scene-decided`: emitted before anything is started, and a second time if WeChat reports
    /// late that a mini-program shows this page.
    SceneDecided(Box<Scene>),
    /// `qr-shown`: a QR code is on the page. Emitted once for each code.
    QrShown,
    /// `redirecting`: the page is about to navigate away.
    Redirecting(Destination),
    /// `state-change`: the screen has changed.
    StateChange(&'static str),
    /// `paid`: once for a machine. The shell emits the DOM event only if this tab has not emitted
    /// it before.
    Paid {
        /// The merchant's order number.
        order_no: String,
        /// The attempt's number at WeChat, if the backend gives it.
        out_trade_no: Option<String>,
        /// The price, in fen.
        total_fen: u64,
    },
    /// `closed`: emitted at most once, and only because the backend said so.
    Closed,
    /// `problem`: something went wrong.
    Problem(Problem),
}
