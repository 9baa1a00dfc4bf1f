//! A payment as the buyer's page lives through it, as a machine without I/O.
//!
//! ```text
//!   facts, options ──> CheckoutMachine ──update(now_ms, Event)──> Vec<Effect>
//!                                      ──view(now_ms)───────────> ViewModel
//! ```
//!
//! The shell (the widget's `src/shell`, or a test) performs each [`Effect`] and brings what came
//! of it back as an [`Event`]. Time and randomness come in as data. What this crate never does:
//! read a clock, touch a browser, wait, or decide that money moved. Only an answer of the
//! merchant's backend does that.

mod bridge_reply;
mod destination;
mod effect;
mod event;
mod facts;
mod machine;
mod pace;
mod poll;
mod problem;
mod scene;
mod substring;
mod view_model;

pub use bridge_reply::{BridgeReply, BridgeResult};
pub use destination::{AuthorizeUrl, CodeUrl, H5Url, MiniProgramPath, ReturnUrl, SuccessUrl};
pub use effect::{Destination, Effect, Occurrence, Request, RequestId};
pub use event::{Event, Failure, Intent, PeerWord};
pub use facts::{Facts, Injected, Options};
pub use machine::CheckoutMachine;
pub use problem::{Actor, Problem, ProblemCode};
pub use scene::{
    Decision, Environment, EnvironmentKind, Instead, Os, Reason, Scene, WayOut, decide, scene,
};
pub use view_model::{Connection, Notice, OrderView, Screen, ViewModel};
