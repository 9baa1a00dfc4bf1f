//! Calls the program in `xtask/bundler/`, which is built at the first call.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::compiled::{BINDINGS_NAME, built};
use crate::failure::Failure;
use crate::{process, repository};

/// The parts of the bundler that a build needs: only these are compiled.
#[derive(Clone, Copy)]
pub(super) enum Features {
    /// For the demo: no compressors.
    BindingsAlone,
    /// For everything else.
    All,
}

/// How many rows the table of the biggest functions has.
const TOP: usize = 10;

/// Writes wasm-bindgen's output for a compiled widget into a folder.
pub(super) fn write_bindings(
    wasm: &Path,
    out_dir: &Path,
    features: Features,
) -> Result<(), Failure> {
    let mut bundler = bundler(features)?;
    bundler
        .arg("bindings")
        .args([wasm, out_dir])
        .args(["--name", BINDINGS_NAME]);
    if matches!(features, Features::All) {
        bundler.arg("--short");
    }
    process::run(&mut bundler)
}

/// The JSON manifest of the files of the default path, and of others.
pub(super) fn weigh(files: &[PathBuf], others: &[PathBuf]) -> Result<String, Failure> {
    let mut bundler = bundler(Features::All)?;
    process::read(
        bundler
            .arg("weigh")
            .args(files)
            .arg("--others")
            .args(others),
    )
}

/// The part of a file's name that says which content it has.
pub(super) fn fingerprint(file: &Path) -> Result<String, Failure> {
    let digits = process::read(bundler(Features::All)?.arg("fingerprint").arg(file))?;
    Ok(digits.trim().to_owned())
}

/// A JSON object with the value of `integrity` for each file, by its name.
pub(super) fn integrity(files: &[PathBuf]) -> Result<String, Failure> {
    process::read(bundler(Features::All)?.arg("integrity").args(files))
}

/// Fails if a WebAssembly file needs more than the first version of WebAssembly.
pub(super) fn check_floor(wasm: &Path) -> Result<(), Failure> {
    process::run(bundler(Features::All)?.arg("floor").arg(wasm))
}

/// The biggest functions of a file, as rows.
pub(super) fn biggest(wasm: &Path) -> Result<String, Failure> {
    process::read(
        bundler(Features::All)?
            .arg("biggest")
            .arg(wasm)
            .arg(format!("--count={TOP}")),
    )
}

/// The settings by which rustc links through the bundler, which keeps out functions that no page
/// calls.
pub(super) struct Linker {
    /// The flag for rustc.
    pub(super) flag: String,
    /// The variable that names the real linker, which the bundler calls.
    pub(super) variable: (&'static str, PathBuf),
}

/// Builds the bundler as a linker in front of another one.
pub(super) fn as_linker(rust_lld: PathBuf) -> Result<Linker, Failure> {
    let program = bundler(Features::All)?;
    Ok(Linker {
        flag: format!("-Clinker={}", program.get_program().to_string_lossy()),
        variable: ("BUNDLER_LINKER", rust_lld),
    })
}

fn bundler(features: Features) -> Result<Command, Failure> {
    let mut cargo = repository::cargo();
    cargo
        .args(["build", "--quiet", "--package=bundler", "--target-dir"])
        .arg(repository::target_dir());
    if matches!(features, Features::BindingsAlone) {
        cargo.arg("--no-default-features");
    }
    let program = format!("bundler{}", std::env::consts::EXE_SUFFIX);
    let program = repository::target_dir().join("debug").join(program);
    Ok(Command::new(built(cargo, program)?))
}
