//! What the element shows, as plain data: the view renders it and knows nothing else.

use merchant_api::Product;

use crate::destination::SuccessUrl;
use crate::problem::Problem;
use crate::scene::Reason;

/// Everything that the element shows at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewModel {
    /// The order; `None` until the first answer.
    pub order: Option<OrderView>,
    /// The gateway is a simulator, so the element is marked as TEST.
    pub is_test: bool,
    /// What the buyer sees and can do.
    pub screen: Screen,
    /// The state of the connection to the backend.
    pub connection: Connection,
    /// Where the shop continues after a payment.
    pub back: Option<SuccessUrl>,
}

/// The order, for the element's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// The merchant's order number.
    pub order_no: String,
    /// Who is paid, as the buyer knows the shop.
    pub payee: Option<String>,
    /// What is bought, in the merchant's words.
    pub description: Option<String>,
    /// The price, in fen.
    pub total_fen: u64,
    /// The ISO 4217 code.
    pub currency: String,
    /// What the payer paid, in fen, if the backend reports it.
    pub payer_total_fen: Option<u64>,
    /// What was refunded so far, in fen.
    pub refunded_fen: u64,
    /// When it was paid, RFC 3339, as the backend wrote it.
    pub success_time: Option<String>,
}

/// The state of the connection to the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connection {
    /// No failure is known.
    Steady,
    /// Polling failed and is being retried.
    Reconnecting,
    /// The browser reports that there is no network.
    Offline,
}

/// A sentence that is shown with the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The buyer returned from the cashier without paying.
    Cancelled,
    /// WeChat was queried, and has no payment yet.
    NotPaidYet,
    /// The last try failed, and is being retried.
    TryAgain,
    /// The backend asks WeChat whether a try has taken effect: an earlier one, or this one.
    MakingSure,
}

/// What the buyer sees and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Before the first answer.
    Loading {
        /// No answer has come for long: offer another try, and another way to pay.
        is_late: bool,
    },
    /// One or two buttons that pay.
    Offer {
        /// The product of the first button.
        product: Product,
        /// The product of the second button.
        fallback: Option<Product>,
        /// The product may fail here, and another browser is the alternative: say so beside the
        /// button.
        is_guarded: bool,
        /// What happened before.
        notice: Option<Notice>,
    },
    /// An attempt is being requested.
    Starting {
        /// The product of the attempt.
        product: Product,
        /// Why it takes long.
        notice: Option<Notice>,
    },
    /// A code that can be scanned.
    QrCode {
        /// The text to encode.
        code_url: String,
        /// How long the code is valid, in milliseconds; unknown with some backends.
        remaining_ms: Option<u64>,
        /// The page is on the phone itself, so the code must be scanned by another device.
        is_handheld: bool,
    },
    /// The code's time is over, and WeChat is queried once more.
    QrChecking {
        /// The old code, shown dimmed.
        code_url: String,
    },
    /// The code has expired; the buyer can get a new one.
    QrExpired {
        /// The old code, shown dimmed and covered.
        code_url: String,
    },
    /// WeChat's cashier is being opened, or is open.
    Cashier {
        /// The cashier has not replied for long: offer to check the payment.
        is_silent: bool,
        /// The other product, offered with that.
        fallback: Option<Product>,
    },
    /// The cashier closed, and the backend is being polled.
    Confirming,
    /// The page is navigating away, or WeChat was opened over it.
    Leaving {
        /// The page is still here after a while: offer another try.
        is_stuck: bool,
        /// The product that can be paid there; none on the OAuth redirect.
        product: Option<Product>,
        /// The other product, offered with another try.
        fallback: Option<Product>,
    },
    /// The buyer is back from WeChat's middle page.
    Returned {
        /// The result of the last query.
        notice: Option<Notice>,
        /// WeChat is being queried.
        is_asking: bool,
    },
    /// Another device has taken over.
    Elsewhere,
    /// The order is paid.
    Paid {
        /// The whole price was refunded since.
        is_refunded: bool,
    },
    /// Closed by WeChat or the merchant.
    Closed,
    /// The order has expired.
    Expired,
    /// Paying failed; the problem says whether a retry can help.
    Failed(Problem),
    /// There is no way to pay here.
    Unavailable(Reason),
}

impl Screen {
    /// The screen's name: the value of the `state-change` event and of the `data-state` attribute.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Loading { .. } => "loading",
            Self::Offer { .. } => "offer",
            Self::Starting { .. } => "starting",
            Self::QrCode { .. } => "qr",
            Self::QrChecking { .. } => "qr-checking",
            Self::QrExpired { .. } => "qr-expired",
            Self::Cashier { .. } => "cashier",
            Self::Confirming => "confirming",
            Self::Leaving { .. } => "leaving",
            Self::Returned { .. } => "returned",
            Self::Elsewhere => "elsewhere",
            Self::Paid { .. } => "paid",
            Self::Closed => "closed",
            Self::Expired => "expired",
            Self::Failed(_) => "problem",
            Self::Unavailable(_) => "unavailable",
        }
    }
}
