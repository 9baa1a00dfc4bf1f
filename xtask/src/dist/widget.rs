//! The root package as one WebAssembly file: compiled, then optimised.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::bundler;
use super::compiled::{BINDINGS_NAME, built};
use crate::failure::Failure;
use crate::setup::{self, NpmTool, WASM_TARGET};
use crate::{process, repository};

/// MVP and mutable globals: the engines of WeChat's older browsers (Chrome 78 and before) support
/// no more. `immediate-abort` and the two `-Z` remove the messages of panics and the places in
/// sources.
const SMALL: &[&str] = &[
    "-Zunstable-options",
    "-Cpanic=immediate-abort",
    "-Ctarget-cpu=mvp",
    "-Ctarget-feature=+mutable-globals",
    "-Zlocation-detail=none",
    "-Zfmt-debug=none",
    "-Clinker-flavor=wasm-lld",
];

/// wasm-opt may use the features that the compiler used. `-all` comes first, because wasm-opt's own
/// default has more features.
const FEATURES: &[&str] = &["--mvp-features", "--enable-mutable-globals"];

/// The passes for the smallest file. The stack is first in memory and grows down, so its last
/// kilobyte is the lowest one, and no other data can be in it. Flattening gives the second `-Oz`
/// more blocks to reorder. A big function with one caller is not inlined, and functions are ordered
/// by their names, so that the instances of one generic function are neighbours: both help the
/// compressor.
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

/// Compiles for size, including the standard library, and returns the file.
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
        // Stable rustc refuses -Z. The effect of these flags is stable, and our own tests check it.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"))
        .env(linker.variable.0, &linker.variable.1);
    setup::use_wasm_compiler(&mut cargo);
    built(cargo, compiled(&target_dir, "web"))
}

/// Compiles with the installed standard library, and returns the file.
pub(super) fn compile_quickly() -> Result<PathBuf, Failure> {
    let target_dir = repository::target_dir();
    let mut cargo = cdylib("quick", &target_dir);
    setup::use_wasm_toolchain(&mut cargo)?;
    built(cargo, compiled(&target_dir, "quick"))
}

/// Optimises for size, and removes the names.
pub(super) fn optimise(wasm: &Path, out: &Path) -> Result<(), Failure> {
    process::run(&mut wasm_opt(wasm, out))
}

/// The same with names: a little bigger, for the table of the biggest functions.
pub(super) fn optimise_keeping_names(wasm: &Path, out: &Path) -> Result<(), Failure> {
    process::run(wasm_opt(wasm, out).arg("--debuginfo"))
}

/// Compiles a program in `examples/` with the installed standard library, as the widget's own tests are, and
/// returns the file.
pub(super) fn compile_example(name: &str) -> Result<PathBuf, Failure> {
    let target_dir = repository::target_dir();
    let mut cargo = repository::cargo();
    cargo
        .args(["build", "--package=wechat-pay-widget", "--example", name])
        .args(["--target", WASM_TARGET, "--target-dir"])
        .arg(&target_dir);
    setup::use_wasm_toolchain(&mut cargo)?;
    let folder = target_dir.join(WASM_TARGET).join("debug/examples");
    built(cargo, folder.join(format!("{name}.wasm")))
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
