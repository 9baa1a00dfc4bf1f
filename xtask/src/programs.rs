//! The test programs in `tests/` and the programs that they start: how Cargo builds them without building
//! anything twice. This module runs none of them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::{process, repository};

/// The whole workspace is chosen even for one test, because Cargo joins the features of what is chosen:
/// a choice of its own would build the same crates again with other features.
const OF_ALL_TESTS: [&str; 2] = ["--workspace", "--features=payment-tests/installed"];

/// One of the test programs in `tests/` that need something on the machine.
pub(crate) fn payment_tests(test: &str) -> Command {
    let mut cargo = repository::cargo();
    cargo
        .arg("test")
        .args(OF_ALL_TESTS)
        .arg(format!("--test={test}"));
    if env::var_os("RUST_BACKTRACE").is_none_or(|value| value != "full") {
        // A backtrace has forty frames of the async runtime, which hide the failure's own message.
        cargo.env("RUST_BACKTRACE", "0");
    }
    cargo
}

/// Builds the programs that tests start: `merchant-server`, `wechat-pay-simulator`, `chaos` and `demo`.
///
/// Cargo builds a package's programs for its tests, with the features that the other tests have already
/// been built with. `cargo build` would build half of the workspace again, without the features that
/// only tests ask for.
pub(crate) fn build() -> Result<(), Failure> {
    let of_each_package = ["--test=server", "--test=program", "--test=journeys"];
    process::run(
        repository::cargo()
            .args(["test", "--no-run"])
            .args(OF_ALL_TESTS)
            .args(of_each_package),
    )
}

/// A program of the machine that was set up.
pub(crate) fn required(program: Option<PathBuf>, name: &str) -> Result<PathBuf, Failure> {
    program.ok_or_else(|| {
        Failure::Findings(vec![format!("{name} was set up and is not there any more")])
    })
}
