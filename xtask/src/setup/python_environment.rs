//! Python's virtual environments: the path of the interpreter, and whether it still runs.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// The interpreter of a virtual environment.
pub(super) fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin/python")
}

/// Whether a virtual environment still runs: its interpreter is outside of it, and may be removed.
pub(super) fn runs(environment: &Path) -> bool {
    process::ask(Command::new(interpreter(environment)).arg("--version")).is_some()
}
