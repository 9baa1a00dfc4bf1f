//! What is shown, as plain data: the view renders it and knows nothing else.

use merchant_api::Product;

use crate::problem::Problem;
use crate::scene::Reason;

/// Everything on the element at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewModel {
    /// What is bought; `None` until the first answer.
    pub order: Option<OrderView>,
    /// The gateway is a simulator: say TEST.
    pub is_test: bool,
    /// What the buyer sees and can do.
    pub screen: Screen,
    /// How the line to the backend is.
    pub connection: Connection,
}

/// The order, for the head of the element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderView {
    /// The merchant's number.
    pub order_no: String,
    /// What is bought, in the merchant's words.
    pub description: Option<String>,
    /// The price, in fen.
    pub total_fen: u64,
    /// ISO 4217.
    pub currency: String,
}

/// How the line to the backend is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connection {
    /// Fine, as far as is known.
    Steady,
    /// Asking failed, and is tried again.
    Reconnecting,
    /// The browser says there is no network.
    Offline,
}

/// A sentence beside the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The buyer came back from the cashier without paying.
    Cancelled,
    /// WeChat was asked, and has no payment yet.
    NotPaidYet,
    /// The last try could not be made.
    TryAgain,
    /// It is being made sure that an earlier try did not take effect.
    MakingSure,
}

/// What the buyer sees and can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Screen {
    /// Before the first answer.
    Loading,
    /// A button, or two.
    Offer {
        /// What the button does.
        product: Product,
        /// What the other way is.
        fallback: Option<Product>,
        /// It may fail here, and then another browser is the other way: say so beside the button.
        is_guarded: bool,
        /// What happened before.
        notice: Option<Notice>,
    },
    /// The attempt is being made.
    Starting {
        /// For what.
        product: Product,
        /// Why it takes long.
        notice: Option<Notice>,
    },
    /// The code, good for scanning.
    QrCode {
        /// What to encode.
        code_url: String,
        /// How long it is good, in milliseconds; unknown with some backends.
        remaining_ms: Option<u64>,
        /// It has to be scanned by another device, for the page is on the phone itself.
        is_handheld: bool,
    },
    /// The code's time is up, and WeChat is asked a last time.
    QrChecking {
        /// Still shown, dimmed.
        code_url: String,
    },
    /// The code is no longer good; a new one can be had.
    QrExpired {
        /// Still shown, dimmed and covered.
        code_url: String,
    },
    /// WeChat's cashier is being opened, or is open.
    Cashier {
        /// The cashier has been silent for long: offer to ask.
        is_silent: bool,
        /// What the other way is: offered with it.
        fallback: Option<Product>,
    },
    /// The cashier is closed; the backend is asked.
    Confirming,
    /// The page is leaving, or WeChat has been called over it.
    Leaving {
        /// The page is still here after a while: offer another try.
        is_stuck: bool,
        /// What it is paid by there; on the hop for the openid there is nothing to pay.
        product: Option<Product>,
        /// What the other way is: offered with the other try.
        fallback: Option<Product>,
    },
    /// The buyer is back from WeChat's middle page.
    Returned {
        /// What the last question brought.
        notice: Option<Notice>,
        /// WeChat is being asked.
        is_asking: bool,
    },
    /// Another device has taken over.
    Elsewhere,
    /// Paid.
    Paid {
        /// What the payer gave, in fen, where the backend says it.
        payer_total_fen: Option<u64>,
    },
    /// Closed by WeChat or the merchant.
    Closed,
    /// The order's time is up.
    Expired,
    /// Something went wrong that a retry may or may not mend.
    Failed(Problem),
    /// There is honestly no way to pay here.
    Unavailable(Reason),
}

impl Screen {
    /// The screen's name: the `state-change` event and the `data-state` attribute.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
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
