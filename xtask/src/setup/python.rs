//! Python with its own virtual environments, for a foreign client from PyPI.

use std::process::Command;

use super::{Step, debian};
use crate::process;

const PACKAGES: &[&str] = &["python3", "python3-venv"];

pub(super) fn step() -> Step {
    Step {
        name: "Python with venv, for a foreign client",
        is_done: |_| {
            // Debian's python3 has `venv` and not what fills one.
            let asked = Command::new("python3")
                .args(["-c", "import ensurepip, venv"])
                .output();
            asked.is_ok_and(|output| output.status.success())
        },
        action: |_| debian::install(PACKAGES),
        by_hand: format!("{} (Python 3.9 or newer)", debian::by_hand(PACKAGES)),
    }
}

/// The interpreter of a virtual environment.
pub(super) fn of_environment(environment: &std::path::Path) -> std::path::PathBuf {
    environment.join("bin/python")
}

/// Whether a virtual environment still runs: its interpreter lies outside of it, and may go.
pub(super) fn runs(environment: &std::path::Path) -> bool {
    process::ask(Command::new(of_environment(environment)).arg("--version")).is_some()
}
