//! Reports to the page: DOM events of the element, or a callback of the leptos component. Both get
//! the same [`PageEvent`]; serde writes the element's `detail` from it.

use checkout::{Destination, Occurrence};
use js_sys::Function;
use serde::{Serialize, Serializer};
use wasm_bindgen::JsValue;

use super::clock;
use crate::locale::Words;
use crate::object::to_js;
use crate::view::problem_word;

/// The listener: called with what happened, and with whether this is the first report of the
/// order's end in this tab.
pub(crate) struct Page(Box<dyn Fn(Occurrence, bool)>);

/// An event of the element, with its detail. Fields have the contract's names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PageEvent {
    /// The first answer has arrived.
    Ready {},
    /// The payment method was decided.
    SceneDecided {
        /// Where the page is shown: `wechat`, `mobile`, `desktop` and the like.
        environment: &'static str,
        /// The operating system.
        os: &'static str,
        /// WeChat's own version, if WeChat shows the page.
        wechat_version: Option<String>,
        /// The decision for the environment.
        decision: &'static str,
        /// The product that the buyer pays with.
        product: Option<&'static str>,
        /// Why this method was chosen.
        reason: &'static str,
    },
    /// A QR code is on the page.
    QrShown {},
    /// The page is about to navigate away.
    Redirecting {
        /// The destination: `h5`, `authorize`, `mini_program` or `success`.
        to: &'static str,
    },
    /// The screen has changed.
    StateChange {
        /// The screen's name.
        state: &'static str,
        /// With `paid` and `closed`: whether this is the first report in this tab. If `false`, the
        /// event of that name is not emitted.
        #[serde(skip_serializing_if = "Option::is_none")]
        first: Option<bool>,
    },
    /// Paid. Once for an order and tab.
    Paid {
        /// The merchant's order number.
        order_no: String,
        /// The attempt's number at WeChat.
        out_trade_no: Option<String>,
        /// The price, in fen.
        #[serde(serialize_with = "as_number")]
        total_fen: u64,
    },
    /// Closed by WeChat or the merchant. At most once for an order and tab.
    Closed {},
    /// Something went wrong.
    Problem {
        /// The problem's code.
        code: &'static str,
        /// Who can act: `buyer`, `merchant`, `network`, `wechat` or `internal`.
        actor: &'static str,
        /// Whether another try may help.
        recoverable: bool,
        /// For the buyer, in the widget's language.
        message: String,
        /// The wrong field, if a request was wrong.
        field: Option<String>,
        /// The original message of the backend, the browser or WeChat.
        raw: Option<String>,
    },
    /// The time since the component's start; emitted after each of the other events.
    Telemetry {
        /// The name of the event.
        mark: &'static str,
        /// The state or the problem's code, if the event has one.
        about: &'static str,
        /// In milliseconds.
        #[serde(serialize_with = "as_number")]
        elapsed_ms: u64,
    },
}

impl Page {
    /// A page with this listener.
    pub(crate) fn new(listen: impl Fn(Occurrence, bool) + 'static) -> Self {
        Self(Box::new(listen))
    }

    /// `element.js`: `emit(name, detail)`. The detail of a problem includes the buyer's sentence.
    pub(crate) fn with_emit(emit: Function, words: Words) -> Self {
        Self::new(move |occurrence, is_first| {
            let event = PageEvent::new(occurrence, is_first, &words);
            // An exception in the page's handler is the page's own problem.
            let _ = emit.call2(&JsValue::NULL, &event.name().into(), &to_js(&event));
        })
    }

    /// A Rust page: each event, and after it the time that it took.
    pub(crate) fn with_listener(words: Words, listen: impl Fn(PageEvent) + 'static) -> Self {
        let begun_ms = clock::now_ms();
        Self::new(move |occurrence, is_first| {
            let event = PageEvent::new(occurrence, is_first, &words);
            let telemetry = PageEvent::Telemetry {
                mark: event.name(),
                about: event.about(),
                elapsed_ms: clock::now_ms().saturating_sub(begun_ms),
            };
            listen(event);
            listen(telemetry);
        })
    }

    /// Reports what happened; `paid` and `closed` only if it is the first report in this tab.
    pub(crate) fn emit(&self, occurrence: Occurrence, is_first: bool) {
        let is_end = matches!(occurrence, Occurrence::Paid { .. } | Occurrence::Closed);
        if is_first || !is_end {
            (self.0)(occurrence, is_first);
        }
    }
}

impl PageEvent {
    /// The event's name in the element.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ready {} => "ready",
            Self::SceneDecided { .. } => "scene-decided",
            Self::QrShown {} => "qr-shown",
            Self::Redirecting { .. } => "redirecting",
            Self::StateChange { .. } => "state-change",
            Self::Paid { .. } => "paid",
            Self::Closed {} => "closed",
            Self::Problem { .. } => "problem",
            Self::Telemetry { .. } => "telemetry",
        }
    }

    /// The value of `about` in `telemetry`.
    const fn about(&self) -> &'static str {
        match self {
            Self::StateChange { state, .. } => state,
            Self::Problem { code, .. } => code,
            _ => "",
        }
    }

    fn new(occurrence: Occurrence, is_first: bool, words: &Words) -> Self {
        match occurrence {
            Occurrence::Ready => Self::Ready {},
            Occurrence::SceneDecided(scene) => Self::SceneDecided {
                environment: scene.environment.kind.as_str(),
                os: scene.environment.os.as_str(),
                wechat_version: scene.environment.wechat_version,
                decision: scene.decision.as_str(),
                product: scene.method.map(|method| method.product.as_str()),
                reason: scene.reason.as_str(),
            },
            Occurrence::QrShown => Self::QrShown {},
            Occurrence::Redirecting(destination) => Self::Redirecting {
                to: direction(&destination),
            },
            Occurrence::StateChange(state) => Self::StateChange {
                state,
                first: is_end(state).then_some(is_first),
            },
            Occurrence::Paid {
                order_no,
                out_trade_no,
                total_fen,
            } => Self::Paid {
                order_no,
                out_trade_no,
                total_fen,
            },
            Occurrence::Closed => Self::Closed {},
            Occurrence::Problem(problem) => Self::Problem {
                message: words.text(problem_word(&problem)).into_owned(),
                code: problem.code.as_str(),
                actor: problem.actor.as_str(),
                recoverable: problem.is_recoverable,
                field: problem.field,
                raw: problem.raw,
            },
        }
    }
}

/// Whether the screen is the end of an order, which is reported once in a tab.
fn is_end(state: &str) -> bool {
    matches!(state, "paid" | "closed")
}

const fn direction(destination: &Destination) -> &'static str {
    match destination {
        Destination::H5(_) => "h5",
        Destination::Authorize(_) => "authorize",
        Destination::MiniProgram(_) => "mini_program",
        Destination::Success(_) => "success",
    }
}

/// Amounts come from JavaScript numbers below 2^53, so nothing is lost. Writing a `u64` would add
/// the code that reports a number as too large.
#[expect(
    clippy::cast_precision_loss,
    clippy::trivially_copy_pass_by_ref,
    reason = "read from an exact number; serde hands over references"
)]
fn as_number<S: Serializer>(whole: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(*whole as f64)
}
