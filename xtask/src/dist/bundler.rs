//! Calls the program in `xtask/bundler/`, which is built at the first call.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::compiled::{BINDINGS_NAME, built};
use crate::failure::Failure;
use crate::programs::OF_ALL_TESTS;
use crate::{process, repository};

/// The variable that names a bundler that is built already.
pub(super) const PROGRAM: &str = "WECHAT_PAY_WIDGET_BUNDLER";

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

/// Writes wasm-bindgen's output for a program that a page starts, under the program's name.
pub(super) fn write_page(wasm: &Path, out_dir: &Path, name: &str) -> Result<(), Failure> {
    let mut bundler = bundler(Features::All)?;
    bundler.arg("bindings").args([wasm, out_dir]);
    process::run(bundler.args(["--name", name]))
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
    Ok(Linker {
        flag: format!("-Clinker={}", program()?.display()),
        variable: ("BUNDLER_LINKER", rust_lld),
    })
}

/// The bundler's program with all features.
pub(super) fn program() -> Result<PathBuf, Failure> {
    Ok(bundler(Features::All)?.get_program().into())
}

fn bundler(features: Features) -> Result<Command, Failure> {
    if let Some(built) = env::var_os(PROGRAM).filter(|name| !name.is_empty()) {
        return Ok(Command::new(built));
    }
    let mut cargo = repository::cargo();
    cargo
        .args(["build", "--quiet", "--target-dir"])
        .arg(repository::target_dir());
    match features {
        Features::BindingsAlone => cargo.args(["--package=bundler", "--no-default-features"]),
        Features::All => cargo.args(OF_ALL_TESTS).arg("--bin=bundler"),
    };
    let program = format!("bundler{}", std::env::consts::EXE_SUFFIX);
    let program = repository::target_dir().join("debug").join(program);
    Ok(Command::new(built(cargo, program)?))
}
