//! Schemathesis from PyPI, which tries every route of an OpenAPI file with unusual input. It runs
//! in its own Python environment, at the versions that `xtask/python/` pins.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::python_environment;
use super::step::{Action, DOWNLOAD_LIMIT, Step};
use super::tool_cache::ToolCache;
use crate::failure::{Failure, Source};
use crate::{process, repository};

const PINS: &str = "xtask/python/schemathesis.txt";

pub(super) fn step(cache: &ToolCache) -> Step {
    let place = folder(cache);
    Step {
        name: "Schemathesis from PyPI",
        is_done: |cache| program(cache).is_file() && python_environment::runs(&folder(cache)),
        action: Action::Run(install),
        from: Source::PyPi,
        by_hand: format!(
            "python3 -m venv {to} && {to}/bin/pip install --requirement {PINS}",
            to = place.display()
        ),
    }
}

/// The program; it exists once `Need::Schemathesis` was provided.
pub(crate) fn program(cache: &ToolCache) -> PathBuf {
    folder(cache).join("bin/schemathesis")
}

fn install(cache: &ToolCache) -> Result<(), Failure> {
    let folder = folder(cache);
    // A virtual environment cannot be moved, so it is made in its final folder. If a stopped run
    // left a folder there, the folder has no program yet, and is removed.
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(Failure::file(&folder))?;
    }
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    process::run_within(
        Command::new(python_environment::interpreter(&folder))
            .args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(pins()),
        DOWNLOAD_LIMIT,
    )
}

/// One folder for each version, named after it.
fn folder(cache: &ToolCache) -> PathBuf {
    let pins = fs::read_to_string(pins()).unwrap_or_default();
    let version = pins
        .lines()
        .find_map(|line| line.strip_prefix("schemathesis=="))
        .unwrap_or("any");
    cache.tool(&format!("schemathesis-{version}"))
}

fn pins() -> PathBuf {
    Path::new(repository::root()).join(PINS)
}
