//! The root package as one WebAssembly file: compiled, then optimised.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::bundler;
use super::compiled::{BINDINGS_NAME, built};
use crate::failure::Failure;
use crate::setup::{self, NpmTool, WASM_TARGET};
use crate::{process, repository};

/// MVP and mutable globals: the engines of WeChat's older browsers (Chrome 78 and before) know no
/// more. `immediate-abort` and the two `-Z` take the words of panics, and places in sources, out.
const SMALL: &[&str] = &[
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Ctarget-cpu=mvp",
    "-Ctarget-feature=+mutable-globals",
    "-Zlocation-detail=none",
    "-Zfmt-debug=none",
    "-Clinker-flavor=wasm-lld",
];

/// What wasm-opt may use is what the compiler was told; `-all` first, for its own default is more.
const FEATURES: &[&str] = &["--mvp-features", "--enable-mutable-globals"];

/// As small as it goes. The stack lies first in memory and grows down, so its last kilobyte is the
/// lowest, which nothing else can be in. Flattening gives the second `-Oz` blocks to put in order.
/// A big function with one caller stays by itself, and functions lie in the order of their names,
/// so that the instances of one generic function are neighbours: both for the compressor.
const PASSES: &[&str] = &[
    "--low-memory-unused",
    "--one-caller-inline-max-function-size=200",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--converge",
    "--reorder-functions-by-name",
];

/// Compiles for size, the standard library too, and gives the file.
pub(super) fn compile_for_size() -> Result<PathBuf, Failure> {
    let target_dir = repository::web_target_dir();
    let linker = bundler::as_linker(setup::rust_lld()?)?;
    let mut flags = SMALL.to_vec();
    flags.push(&linker.flag);
    let mut cargo = cdylib("web", &target_dir);
    cargo
        .args([
            "-Zbuild-std=std,panic_abort",
            "-Zbuild-std-features=optimize_for_size",
            "--features=bundle",
        ])
        // Stable refuses -Z. What is asked for is stable in effect and checked by our own tests.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env(linker.variable.0, &linker.variable.1);
    setup::use_wasm_compiler(&mut cargo);
    built(cargo, compiled(&target_dir, "web"))
}

/// Compiles with the standard library at hand, and gives the file.
pub(super) fn compile_quickly() -> Result<PathBuf, Failure> {
    let target_dir = repository::target_dir();
    let mut cargo = cdylib("quick", &target_dir);
    setup::use_wasm_toolchain(&mut cargo)?;
    built(cargo, compiled(&target_dir, "quick"))
}

/// As small as it goes, without names.
pub(super) fn optimise(wasm: &Path, out: &Path) -> Result<(), Failure> {
    process::run(&mut wasm_opt(wasm, out))
}

/// The same with names: a little bigger, for a table that a person can read.
pub(super) fn optimise_keeping_names(wasm: &Path, out: &Path) -> Result<(), Failure> {
    process::run(wasm_opt(wasm, out).arg("--debuginfo"))
}

fn cdylib(profile: &str, target_dir: &Path) -> Command {
    let mut cargo = repository::cargo();
    cargo
        .args(["rustc", "--lib", "--crate-type=cdylib"])
        .args(["--package=wechat-pay-widget", "--target", WASM_TARGET])
        .arg(format!("--profile={profile}"))
        .arg("--target-dir")
        .arg(target_dir);
    cargo
}

fn compiled(target_dir: &Path, profile: &str) -> PathBuf {
    target_dir
        .join(WASM_TARGET)
        .join(profile)
        .join(format!("{BINDINGS_NAME}.wasm"))
}

fn wasm_opt(wasm: &Path, out: &Path) -> Command {
    let mut command = NpmTool::WasmOpt.command();
    command
        .args(FEATURES)
        .args(PASSES)
        .args(["--strip-producers", "--strip-target-features"])
        .arg(wasm)
        .arg("--output")
        .arg(out);
    command
}
