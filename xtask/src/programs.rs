//! The tests of the workspace and the programs that they start: how Cargo builds them without building
//! anything twice. This module runs none of them.
//!
//! Clippy compiles our own crates, in place of rustc, and reports the lints on the way. A call of
//! `cargo clippy` would check each of the hundreds of crates that we depend on once more.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::{process, repository};

/// Names the compiler of the workspace's own crates.
const COMPILER: &str = "RUSTC_WORKSPACE_WRAPPER";

/// The whole workspace is chosen even for one test, because Cargo joins the features of what is chosen:
/// a choice of its own would build the same crates again with other features.
pub(crate) const OF_ALL_TESTS: [&str; 2] = ["--workspace", "--features=payment-tests/installed"];

/// `cargo test`, with Clippy as the compiler of our crates.
pub(crate) fn tests() -> Command {
    let mut cargo = repository::cargo();
    cargo.arg("test");
    if let Some(folder) = folder_in_memory() {
        cargo.env("TMPDIR", folder);
    }
    if let Some(clippy) = clippy() {
        cargo.env(COMPILER, clippy);
    }
    cargo
}

/// Builds all tests and programs, and fails if a lint warns.
pub(crate) fn lint() -> Result<(), Failure> {
    if clippy().is_none() {
        return Err(Failure::Findings(vec![
            "clippy is missing: rustup component add clippy".to_owned(),
        ]));
    }
    let build = || {
        let mut cargo = tests();
        cargo.arg("--no-run").args(OF_ALL_TESTS);
        cargo
    };
    process::run_shown(&mut build())?;
    // Everything is built: Cargo repeats what the compiler said.
    let messages = process::read(build().arg("--message-format=json"))?;
    let warnings = warnings(&messages);
    if warnings.is_empty() {
        Ok(())
    } else {
        Err(Failure::Findings(warnings))
    }
}

/// One of the test programs in `tests/` that need something on the machine.
pub(crate) fn payment_tests(test: &str) -> Command {
    let mut cargo = tests();
    cargo.args(OF_ALL_TESTS).arg(format!("--test={test}"));
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
        tests()
            .arg("--no-run")
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

/// Where the tests' files are: databases and the profiles of browsers. No test cuts the power, so none of them
/// has to wait for a disk. `None`: there is no such folder here, or too little room in it.
fn folder_in_memory() -> Option<&'static str> {
    const FOLDER: &str = "/dev/shm";
    const ROOM_MIN_KB: u64 = 4_000_000;
    if env::var_os("TMPDIR").is_some() {
        return None;
    }
    let room = process::ask(Command::new("df").args(["-Pk", FOLDER]))?;
    let room_kb: u64 = room
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    (room_kb >= ROOM_MIN_KB).then_some(FOLDER)
}

/// Clippy's compiler of the toolchain in use.
fn clippy() -> Option<PathBuf> {
    let sysroot = process::ask(Command::new("rustc").args(["--print", "sysroot"]))?;
    let name = format!("clippy-driver{}", env::consts::EXE_SUFFIX);
    let program = PathBuf::from(sysroot).join("bin").join(name);
    program.is_file().then_some(program)
}

/// The warnings among Cargo's messages, each with its place.
fn warnings(messages: &str) -> Vec<String> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter(|message: &Value| message["reason"] == "compiler-message")
        .filter(|message| message["message"]["level"] == "warning")
        // A sum of the others has no place.
        .filter_map(|message| {
            let span = message["message"]["spans"].get(0)?;
            let (file, line) = (span["file_name"].as_str()?, span["line_start"].as_u64()?);
            let text = message["message"]["message"].as_str()?;
            Some(format!("{file}:{line}: {text}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::warnings;

    #[test]
    fn each_warning_is_found_with_its_place() {
        let span = r#"{"file_name":"src/lib.rs","line_start":7}"#;
        let message = |reason: &str, level: &str, text: &str, spans: &str| {
            format!(
                r#"{{"reason":"{reason}","message":{{"level":"{level}","message":"{text}","spans":[{spans}]}}}}"#
            )
        };
        let lines = [
            message("compiler-message", "warning", "unused variable: `x`", span),
            message("compiler-message", "warning", "1 warning emitted", ""),
            message("compiler-message", "note", "defined here", span),
            message("build-finished", "warning", "", span),
            "Executable".to_owned(),
        ];
        assert_eq!(
            warnings(&lines.join("\n")),
            ["src/lib.rs:7: unused variable: `x`"]
        );
    }
}
