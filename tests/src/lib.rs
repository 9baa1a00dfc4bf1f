//! The harness of the tests across crates: servers in this process on free loopback ports, a page that
//! runs the element's machine without a browser, a browser behind WebDriver, programs of examples as
//! processes. Nothing here is shipped.
//!
//! A harness never sleeps for a fixed time: it waits for a condition, for a bounded time, and names
//! that condition when it gives up.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    reason = "all of it is test code: a panic is the report"
)]

pub mod bill_day;
#[cfg(feature = "harness")]
pub mod browser;
pub mod buyer_browser;
pub mod example_program;
pub mod http_backend;
pub mod in_process;
pub mod machine_time;
pub mod merchant_config;
pub mod merchant_keys;
pub mod native_page;
pub mod php;
#[cfg(feature = "harness")]
pub mod picture;
pub mod port;
#[cfg(feature = "harness")]
pub mod scanner;
pub mod servers;
pub mod simulator;
pub mod wait;
#[cfg(feature = "harness")]
pub mod webdriver;
