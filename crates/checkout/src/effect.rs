//! What the machine asks of the world. The shell performs an effect and decides nothing.

use merchant_api::{AttemptForm, CancelForm, PayParameters, PollQuery};

use crate::destination::{AuthorizeUrl, H5Url, MiniProgramPath, SuccessUrl};
use crate::event::PeerWord;
use crate::problem::Problem;
use crate::scene::Scene;

/// Names a request, so that its answer is recognised and a stale one dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u32);

/// Something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send a request to the backend; `Answered` or `Failed` comes of it, or nothing once it is
    /// aborted.
    Send {
        /// Its name.
        id: RequestId,
        /// What to send.
        request: Request,
    },
    /// Give a request up; nothing may come of it any more.
    Abort(RequestId),
    /// There is one timer: set it to this time, in the machine's milliseconds, or (`None`) stop
    /// it.
    WakeAt(Option<u64>),
    /// Wait for `WeixinJSBridge` and bring `Injected`.
    AwaitBridge,
    /// Call `getBrandWCPayRequest` with these.
    InvokeCashier(PayParameters),
    /// Call the SDK's `wx.chooseWXPay` with these.
    InvokeSdk(PayParameters),
    /// Leave for another address, with the whole page.
    Navigate(Destination),
    /// Load the page anew, as it is addressed now, and remember that it was done.
    Reload,
    /// Tell the other tabs of this browser that are at the same order.
    TellPeers(PeerWord),
    /// Take the payer and return handles out of the page's address.
    StripAddress,
    /// Keep a mark that the buyer left for `h5_url`, or drop it.
    MarkDeparture(bool),
    /// Tell the page.
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

/// Where the page goes. Only checked addresses can stand here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// WeChat's middle page.
    H5(H5Url),
    /// The hop for the openid.
    Authorize(AuthorizeUrl),
    /// A page of the mini-program that shows this web-view; `MiniProgramFailed` if it cannot be
    /// opened.
    MiniProgram(MiniProgramPath),
    /// The merchant's page after a payment.
    Success(SuccessUrl),
}

impl Destination {
    /// The address.
    pub fn as_str(&self) -> &str {
        match self {
            Self::H5(url) => url.as_str(),
            Self::Authorize(url) => url.as_str(),
            Self::MiniProgram(path) => path.as_str(),
            Self::Success(url) => url.as_str(),
        }
    }
}

/// What the page is told, as a DOM event of the element.
#[derive(Clone, Debug, PartialEq)]
pub enum Occurrence {
    /// `ready`: the first answer is there. Once.
    Ready,
    /// `scene-decided`: before anything is started; and once more where WeChat says late that a
    /// mini-program shows this page.
    SceneDecided(Box<Scene>),
    /// `qr-shown`: a QR code is on the page; once for each code.
    QrShown,
    /// `redirecting`: the page is about to leave.
    Redirecting(Destination),
    /// `state-change`: the screen is another.
    StateChange(&'static str),
    /// `paid`: once for a machine. Whether the page is told depends on what the tab has heard.
    Paid {
        /// The merchant's number.
        order_no: String,
        /// The attempt's number, where the backend gives it.
        out_trade_no: Option<String>,
        /// The price, in fen.
        total_fen: u64,
    },
    /// `closed`: at most once, on the backend's word alone.
    Closed,
    /// `problem`: something went wrong.
    Problem(Problem),
}
