//! The payments of one merchant by WeChat Pay, without HTTP in front: what is ordered, tried, paid,
//! refunded and still to be done.
//!
//! Rooms, from the ground up:
//! - [`config`]: what it needs to know, checked as a whole before anything starts;
//! - [`surroundings`]: the world, handed in. A journey hands in a clock that it moves, randomness that
//!   it can repeat, and a simulator in the same process;
//! - [`ledger`] (SQLite) behind one boundary: no SQL outside of it;
//! - [`wechat`] behind another: the one way to WeChat Pay, believed only after it was verified;
//! - [`payments`]: the state that everything above shares ([`Payments`]);
//! - above it one room for each thing that a page, the backend, WeChat or a person at the machine asks
//!   for. [`Payments::run_due`] does the work that is due at a time, as data in the ledger and not as
//!   sleeping tasks.
//!
//! What it never does: decide that money moved (WeChat does), take an amount from a browser, write a
//! secret, an openid or a whole token anywhere but into its ledger, or know how a call came in.

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

pub use payments::Payments;
pub use refusal::Refusal;
