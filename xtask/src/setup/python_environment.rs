//! Python's virtual environments: where the interpreter of one is, and whether it still runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// The interpreter of a virtual environment.
pub(super) fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin/python")
}

/// Whether a virtual environment still runs: its interpreter lies outside of it, and may go.
pub(super) fn runs(environment: &Path) -> bool {
    process::ask(Command::new(interpreter(environment)).arg("--version")).is_some()
}
