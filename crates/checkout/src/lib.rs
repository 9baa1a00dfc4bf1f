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
