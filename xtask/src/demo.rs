//! `cargo xtask demo`: builds the demo (`tests/demo`) and the element, and starts it. The demo itself is
//! one program, which has all servers.
//!
//! `--check` pays once in each scene and ends; without it the servers stay until Ctrl-C.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;

use crate::failure::Failure;
use crate::setup::{self, Purpose};
use crate::{console, dist, process, programs, repository};

mod ports;

use ports::Ports;

/// Where the demo runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Pay once in each scene through HTTP, on free ports, and end
    #[arg(long, conflicts_with_all = ["merchant_port", "simulator_port", "shop_port", "data_dir"])]
    check: bool,
    /// The merchant server's port
    #[arg(long, default_value_t = 8080)]
    merchant_port: u16,
    /// The simulator's port; its WeChat browser has the next one
    #[arg(long, default_value_t = 9410)]
    simulator_port: u16,
    /// The shop's port
    #[arg(long, default_value_t = 8000)]
    shop_port: u16,
    /// Where the orders, keys and logs are kept [default: demo-data in the repository]
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// Exit code: the demo could not start.
const NOT_STARTED: u8 = 2;

/// Runs the demo, or its check, in the place of this process. Exit code 0: all is well; 1: a payment
/// failed or a server ended; 2: the demo did not start.
pub(crate) fn run(options: &Options) -> ExitCode {
    let prepared = if options.check {
        built().map(check)
    } else {
        demo(options)
    };
    let failure = match prepared {
        Ok(mut demo) => process::become_program(&mut demo),
        Err(failure) => failure,
    };
    console::note(format!("\nthe demo could not start: {failure}"));
    ExitCode::from(NOT_STARTED)
}

/// The check as a step of the test run.
pub(crate) fn check_for_test() -> Result<(), Failure> {
    programs::build()?;
    process::run_shown(&mut check(program()))
}

fn demo(options: &Options) -> Result<Command, Failure> {
    let ports = Ports::wanted(
        options.simulator_port,
        options.merchant_port,
        options.shop_port,
    )?;
    // Checked before anything is built: otherwise this answer would come minutes later.
    ports.ensure_free()?;
    let data_dir = options.data_dir.clone();
    let data_dir = data_dir.unwrap_or_else(|| repository::root().join("demo-data"));
    ensure_writable(&data_dir)?;
    setup::provide(Purpose::Demo.needs())?;
    let mut demo = built()?;
    demo.args(ports.arguments())
        .arg("--data-dir")
        .arg(data_dir)
        .arg("--bundle-dir")
        .arg(dist::quick_beside_the_shipped()?);
    Ok(demo)
}

/// Creates the folder, and refuses one that no file can be written into.
fn ensure_writable(folder: &Path) -> Result<(), Failure> {
    let probe = folder.join(format!("written-by-{}", std::process::id()));
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&probe, ""))
        .and_then(|()| fs::remove_file(&probe));
    written.map_err(|error| Failure::File {
        path: folder.to_owned(),
        why: format!(
            "{error}; the demo keeps its orders there: choose another folder with --data-dir"
        ),
    })
}

fn check(mut demo: Command) -> Command {
    demo.arg("--check");
    let bundle_dir = repository::dist_dir();
    if bundle_dir.is_dir() {
        demo.arg("--bundle-dir").arg(bundle_dir);
    }
    demo
}

/// The demo's program, built with nothing that only tests need.
fn built() -> Result<Command, Failure> {
    console::timed("demo: the servers are built", || {
        process::run(
            repository::cargo()
                .args(["build", "--package=payment-tests", "--bin=demo"])
                .arg("--no-default-features")
                .arg("--target-dir")
                .arg(repository::target_dir()),
        )
    })?;
    Ok(program())
}

fn program() -> Command {
    Command::new(repository::target_dir().join("debug/demo"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::ensure_writable;

    #[test]
    fn a_folder_that_cannot_be_written_is_named_with_the_flag_that_changes_it() {
        let place = std::env::temp_dir().join(format!("xtask-demo-{}", std::process::id()));
        ensure_writable(&place.join("data")).unwrap();
        assert_eq!(fs::read_dir(place.join("data")).unwrap().count(), 0);
        // A file in the folder's place, which root cannot write into either.
        fs::write(place.join("file"), "").unwrap();
        let refusal = ensure_writable(&place.join("file"))
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("/file"), "{refusal}");
        assert!(refusal.contains("--data-dir"), "{refusal}");
        fs::remove_dir_all(place).unwrap();
    }
}
