//! The payments of one merchant, or of several, by WeChat Pay, without HTTP: orders, attempts,
//! payments, refunds and due work.
//!
//! The modules, from the lowest layer up:
//! - [`config`]: the configuration, checked as a whole before anything starts;
//! - [`surroundings`]: the injected dependencies on the outside world. A journey test injects a
//!   clock that it advances, randomness that it can repeat, and a simulator in the same process;
//! - [`ledger`]: the SQLite database. There is no SQL outside of it;
//! - [`wechat`]: the only connection to WeChat Pay. An answer is used only after it was verified;
//! - [`payments`]: the state that the modules above it share ([`Payments`], one for each of the
//!   [`Merchants`]);
//! - above these, one module for each kind of request from a page, the backend, WeChat or the
//!   command line. [`Payments::run_due`] runs the work that is due at a time. That work is data in
//!   the ledger, not a set of sleeping tasks.
//!
//! This crate never decides that money moved (WeChat does). It never takes an amount from a
//! browser, but for one that a payment link lets the buyer choose, within the merchant's bounds. It
//! writes secrets, openids and whole tokens only into its ledger. It does not know how a call came in.

pub mod attempts;
pub mod bills;
pub mod checkouts;
pub mod config;
pub mod due_work;
pub mod input;
pub mod ledger;
pub mod live_check;
pub mod mismatches;
pub mod notifications;
pub mod orders;
pub mod payments;
mod query;
pub mod reconciliation;
pub mod refunds;
pub mod refusal;
mod settlement;
pub mod surroundings;
pub mod webhooks;
pub mod wechat;

pub use payments::{Merchants, Payments};
pub use refusal::Refusal;
