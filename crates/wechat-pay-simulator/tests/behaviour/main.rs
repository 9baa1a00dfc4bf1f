//! The simulator from outside, through its router in the test's process, with a fixed clock that a
//! test advances. No socket, no sleep.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the report, in its helpers too"
)]

mod bills;
mod browser;
mod code_pay;
mod combined;
mod control;
mod faults;
mod gateway;
mod h5;
mod harness;
mod hostile;
mod lenient;
mod merchants;
mod notifications;
mod oauth;
mod openapi;
mod orders;
mod pages;
mod partner;
mod phone;
mod refunds;
mod restart;
mod settings;
mod sharing;
mod shipping;
mod trust;
mod v2;
