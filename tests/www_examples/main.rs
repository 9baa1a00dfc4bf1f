//! The examples in `www/examples`, as a reader would run them: each backend sells once over HTTP and believes only
//! signed webhooks, and each page takes a payment in Chromium. The quick start's first payment is made too.
//!
//! `cargo xtask test --only examples` installs what they need, builds the pages with the packed npm package, and gives
//! this test the folder. The programs connect to this machine only.

#![expect(
    clippy::unwrap_used,
    reason = "all of it is test code: a panic is the report"
)]

mod backend;
mod backends;
mod pages;
mod quick_start;
