//! Python's virtual environments: the path of the interpreter, whether it still runs, and how pinned packages come
//! into one. This module knows no package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::step::DOWNLOAD_LIMIT;
use crate::failure::Failure;
use crate::process;

/// The interpreter of a virtual environment.
pub(super) fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin/python")
}

/// Whether a virtual environment still runs: its interpreter is outside of it, and may be removed.
pub(super) fn runs(environment: &Path) -> bool {
    process::ask(Command::new(interpreter(environment)).arg("--version")).is_some()
}

/// Makes an environment with the packages of a requirements file. No code of a package runs during it.
pub(super) fn install(environment: &Path, requirements: &Path) -> Result<(), Failure> {
    // An existing environment has no interpreter that runs, so it is removed and made again.
    let unfinished = environment.with_extension("unfinished");
    for folder in [environment, &unfinished] {
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(Failure::file(folder))?;
        }
    }
    process::run_within(
        Command::new("python3")
            .args(["-m", "venv"])
            .arg(&unfinished),
        DOWNLOAD_LIMIT,
    )?;
    process::run_within(
        Command::new(interpreter(&unfinished))
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ])
            // Only wheels are allowed: a source package would run its own code here.
            .args(["--only-binary=:all:", "--requirement"])
            .arg(requirements),
        DOWNLOAD_LIMIT,
    )?;
    // The interpreter finds its packages by the path through which it is called, so the folder may
    // be moved.
    fs::rename(&unfinished, environment).map_err(Failure::file(environment))
}
