//! Calls the program in `xtask/bundler/`, built when first asked for.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::compiled::{BINDINGS_NAME, built};
use crate::failure::Failure;
use crate::{process, repository};

/// How much of the bundler is wanted: it is compiled with that and no more.
#[derive(Clone, Copy)]
pub(super) enum Features {
    /// For the demo: no compressors.
    BindingsAlone,
    /// For everything else.
    All,
}

/// How many rows the table of the biggest functions has.
const TOP: usize = 10;

/// Writes wasm-bindgen's output of a compiled widget into a folder.
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

/// The JSON manifest of files.
pub(super) fn weigh(files: &[PathBuf]) -> Result<String, Failure> {
    process::read(bundler(Features::All)?.arg("weigh").args(files))
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

/// What makes rustc link through the bundler, which keeps out what no page calls.
pub(super) struct Linker {
    /// For rustc.
    pub(super) flag: String,
    /// The variable that names the linker behind it.
    pub(super) variable: (&'static str, PathBuf),
}

/// The bundler, built, as a linker in front of another.
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
