//! One payment on the buyer's page, as a state machine without I/O.
//!
//! ```text
//!   facts, options ──> CheckoutMachine ──update(now_ms, Event)──> Vec<Effect>
//!                                      ──view(now_ms)───────────> ViewModel
//! ```
//!
//! The shell (the widget's `src/shell`, or a test) performs each [`Effect`] and returns the result
//! as an [`Event`]. Time and randomness are passed in as data. This crate never reads a clock,
//! touches a browser, waits, or decides that money moved. Only an answer of the merchant's backend
//! decides that.
//!
//! A payment at a desk begins:
//!
//! ```
//! use checkout::{CheckoutMachine, Effect, Event, Facts, Options, Request};
//! use merchant_api::CheckoutAnswer;
//!
//! let facts = Facts {
//!     user_agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0".into(),
//!     ..Facts::default()
//! };
//! let mut machine = CheckoutMachine::new(7, facts, Options::default());
//!
//! // The element is in the page: the machine asks the shell to read the order.
//! let effects = machine.update(0, Event::Connected);
//! let sent = effects.iter().find_map(|effect| match effect {
//!     Effect::Send { id, request: Request::Read(_) } => Some(*id),
//!     _ => None,
//! });
//! let id = sent.expect("a request");
//!
//! // The order is open. At a desk the machine starts a payment by QR code by itself.
//! let answer = Box::new(CheckoutAnswer {
//!     order_no: "SHOP-0001".into(),
//!     total_fen: 6_910,
//!     ..CheckoutAnswer::default()
//! });
//! let effects = machine.update(40, Event::Answered { id, answer });
//! let starts = |effect: &Effect| matches!(effect, Effect::Send { request: Request::Start(_), .. });
//! assert!(effects.iter().any(starts));
//! assert_eq!(machine.view(40).screen.name(), "starting");
//! ```

mod bridge_reply;
mod destination;
mod effect;
mod event;
mod facts;
mod machine;
mod pace;
mod peer_message;
mod poll;
mod problem;
mod scene;
mod substring;
mod view_model;

pub use bridge_reply::{BridgeReply, BridgeResult};
pub use destination::{AuthorizeUrl, CodeUrl, H5Url, MiniProgramPath, ReturnUrl, SuccessUrl};
pub use effect::{Destination, Effect, Occurrence, Request, RequestId};
pub use event::{Event, Failure, Intent, UnknownIntent};
pub use facts::{Facts, Injected, Options};
pub use machine::CheckoutMachine;
pub use peer_message::PeerMessage;
pub use problem::{Actor, Problem, ProblemCode};
pub use scene::{
    Alternative, Decision, Environment, EnvironmentKind, Os, PaymentMethod, Reason, Scene, decide,
    scene,
};
pub use view_model::{Connection, Notice, OrderView, Screen, ViewModel};
