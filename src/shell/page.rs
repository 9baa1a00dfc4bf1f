//! What the page is told: DOM events of the element, or a callback of the leptos component.

use checkout::{Destination, Occurrence, Problem, Scene};
use js_sys::Function;
use wasm_bindgen::JsValue;

use super::clock;
use crate::locale::Words;
use crate::object::object;
use crate::view::problem_word;

/// The listener: it gets what happened, and whether it is the first report of the order's end in this
/// tab.
pub(crate) struct Page(Box<dyn Fn(Occurrence, bool)>);

/// An event of the element, as a Rust page gets it.
#[derive(Clone, Debug, PartialEq)]
pub enum PageEvent {
    /// The first answer is there.
    Ready,
    /// The way of paying was decided.
    SceneDecided(Box<Scene>),
    /// A QR code is on the page.
    QrShown,
    /// The page is about to leave.
    Redirecting {
        /// Where to: `h5`, `authorize`, `mini_program` or `success`.
        to: &'static str,
    },
    /// The screen is another.
    StateChange {
        /// Its name.
        state: &'static str,
        /// With `paid` and `closed`: whether this is the first report in this tab.
        /// `false` comes without the event of that name.
        first: Option<bool>,
    },
    /// Paid. Once for an order and tab.
    Paid {
        /// The merchant's number.
        order_no: String,
        /// The attempt's number at WeChat.
        out_trade_no: Option<String>,
        /// The price, in fen.
        total_fen: u64,
    },
    /// Closed by WeChat or the merchant. At most once for an order and tab.
    Closed,
    /// Something went wrong.
    Problem {
        /// What, and who can act.
        problem: Problem,
        /// For the buyer, in the widget's language.
        message: String,
    },
    /// How long it took from the component's start; comes after each of the others.
    Telemetry {
        /// The name of the event.
        mark: &'static str,
        /// The state or the problem's code, where the event has one.
        about: &'static str,
        /// In milliseconds.
        elapsed_ms: u64,
    },
}

impl Page {
    /// A page that listens.
    pub(crate) fn new(listen: impl Fn(Occurrence, bool) + 'static) -> Self {
        Self(Box::new(listen))
    }

    /// `element.js`: `emit(name, detail)`. A problem has the buyer's words with it.
    pub(crate) fn speaking(emit: Function, words: Words) -> Self {
        Self::new(move |occurrence, is_first| {
            let (name, detail) = dom_event(&occurrence, is_first, &words);
            // A handler of the page that throws is the page's own trouble.
            let _ = emit.call2(&JsValue::NULL, &name.into(), &detail);
        })
    }

    /// A Rust page: each event, and after it how long that took.
    pub(crate) fn listening(words: Words, listen: impl Fn(PageEvent) + 'static) -> Self {
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
    pub(crate) fn tell(&self, occurrence: Occurrence, is_first: bool) {
        let is_end = matches!(occurrence, Occurrence::Paid { .. } | Occurrence::Closed);
        if is_first || !is_end {
            (self.0)(occurrence, is_first);
        }
    }
}

impl PageEvent {
    /// The element's name for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::SceneDecided(_) => "scene-decided",
            Self::QrShown => "qr-shown",
            Self::Redirecting { .. } => "redirecting",
            Self::StateChange { .. } => "state-change",
            Self::Paid { .. } => "paid",
            Self::Closed => "closed",
            Self::Problem { .. } => "problem",
            Self::Telemetry { .. } => "telemetry",
        }
    }

    /// What `telemetry` says of it.
    const fn about(&self) -> &'static str {
        match self {
            Self::StateChange { state, .. } => state,
            Self::Problem { problem, .. } => problem.code.as_str(),
            _ => "",
        }
    }

    fn new(occurrence: Occurrence, is_first: bool, words: &Words) -> Self {
        match occurrence {
            Occurrence::Ready => Self::Ready,
            Occurrence::SceneDecided(scene) => Self::SceneDecided(scene),
            Occurrence::QrShown => Self::QrShown,
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
            Occurrence::Closed => Self::Closed,
            Occurrence::Problem(problem) => Self::Problem {
                message: words.say(problem_word(&problem)).into_owned(),
                problem,
            },
        }
    }
}

/// The event's name and its `detail`. Fields have the contract's names.
fn dom_event(occurrence: &Occurrence, is_first: bool, words: &Words) -> (&'static str, JsValue) {
    match occurrence {
        Occurrence::Ready => ("ready", object(&[])),
        Occurrence::SceneDecided(scene) => ("scene-decided", scene_detail(scene)),
        Occurrence::QrShown => ("qr-shown", object(&[])),
        Occurrence::Redirecting(destination) => {
            let to = direction(destination);
            ("redirecting", object(&[("to", to.into())]))
        }
        Occurrence::StateChange(state) => {
            let fields = [("state", (*state).into()), ("first", is_first.into())];
            let count = if is_end(state) { 2 } else { 1 };
            ("state-change", object(&fields[..count]))
        }
        Occurrence::Paid {
            order_no,
            out_trade_no,
            total_fen,
        } => (
            "paid",
            object(&[
                ("order_no", order_no.into()),
                ("out_trade_no", optional(out_trade_no.as_deref())),
                ("total_fen", number(*total_fen)),
            ]),
        ),
        Occurrence::Closed => ("closed", object(&[])),
        Occurrence::Problem(problem) => ("problem", problem_detail(problem, words)),
    }
}

/// Whether the screen is the end of an order, which is reported once in a tab.
fn is_end(state: &str) -> bool {
    matches!(state, "paid" | "closed")
}

fn direction(destination: &Destination) -> &'static str {
    match destination {
        Destination::H5(_) => "h5",
        Destination::Authorize(_) => "authorize",
        Destination::MiniProgram(_) => "mini_program",
        Destination::Success(_) => "success",
    }
}

fn scene_detail(scene: &Scene) -> JsValue {
    let product = scene.method.map(|method| method.product.as_str());
    object(&[
        ("environment", scene.environment.kind.as_str().into()),
        ("os", scene.environment.os.as_str().into()),
        (
            "wechat_version",
            optional(scene.environment.wechat_version.as_deref()),
        ),
        ("decision", scene.decision.as_str().into()),
        ("product", optional(product)),
        ("reason", scene.reason.as_str().into()),
    ])
}

fn problem_detail(problem: &Problem, words: &Words) -> JsValue {
    let message = words.say(problem_word(problem));
    object(&[
        ("code", problem.code.as_str().into()),
        ("actor", problem.actor.as_str().into()),
        ("recoverable", problem.is_recoverable.into()),
        ("message", JsValue::from_str(&message)),
        ("field", optional(problem.field.as_deref())),
        ("raw", optional(problem.raw.as_deref())),
    ])
}

fn optional(text: Option<&str>) -> JsValue {
    text.map_or(JsValue::NULL, JsValue::from_str)
}

/// Amounts come from JavaScript numbers below 2^53, so nothing is lost.
#[expect(clippy::cast_precision_loss, reason = "read from an exact number")]
fn number(whole: u64) -> JsValue {
    JsValue::from_f64(whole as f64)
}
