//! The commands of the test programs in `tests/`, and the programs that they need.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::repository;

/// One of the test programs in `tests/`, with the feature that it is built by.
pub(super) fn payment_tests(feature: &str, test: &str) -> Command {
    let mut cargo = repository::cargo();
    cargo
        .args(["test", "--package=payment-tests"])
        .arg(format!("--features={feature}"))
        .arg(format!("--test={test}"));
    if env::var_os("RUST_BACKTRACE").is_none_or(|value| value != "full") {
        // A backtrace has forty frames of the async runtime, which hide the failure's own message.
        cargo.env("RUST_BACKTRACE", "0");
    }
    cargo
}

/// A program of the machine that was set up.
pub(super) fn required(program: Option<PathBuf>, name: &str) -> Result<PathBuf, Failure> {
    program.ok_or_else(|| {
        Failure::Findings(vec![format!("{name} was set up and is not there any more")])
    })
}
