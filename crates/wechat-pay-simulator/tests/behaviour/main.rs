//! What the simulator does, seen from outside: by routers in process, with a clock that stands
//! still until it is advanced. No socket, no sleep.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the report, in its helpers too"
)]

mod browser;
mod control;
mod gateway;
mod h5;
mod notifications;
mod oauth;
mod orders;
mod phone;
mod refunds;
mod stage;
