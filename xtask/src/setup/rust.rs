//! Parts of the Rust toolchain that rustup can add.

use std::path::PathBuf;
use std::process::Command;

use super::step::{Action, DOWNLOAD_LIMIT, Step};
use crate::failure::{Failure, Source};
use crate::process;

/// The target that the widget is built for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
/// The target of the released programs: static, with its own resolver of names, unlike static glibc.
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";

/// Asks rustup for the built standard library of WebAssembly.
pub(super) fn add_wasm_target() -> Result<(), Failure> {
    add_target(WASM)
}

/// Whether this toolchain has a standard library for WebAssembly.
pub(super) fn wasm_target_is_there() -> bool {
    target_is_there(WASM)
}

pub(super) fn musl_step() -> Step {
    Step {
        name: "Rust's standard library for static programs",
        is_done: |_| target_is_there(MUSL),
        action: Action::Run(|_| add_target(MUSL)),
        from: Source::Rust,
        by_hand: format!("rustup target add {MUSL}"),
    }
}

fn add_target(target: &str) -> Result<(), Failure> {
    process::run_within(
        Command::new("rustup").args(["target", "add", target]),
        DOWNLOAD_LIMIT,
    )
}

fn target_is_there(target: &str) -> bool {
    let folder =
        process::ask(Command::new("rustc").args(["--print", "target-libdir", "--target", target]));
    folder
        .and_then(|folder| std::fs::read_dir(folder).ok())
        .is_some_and(|files| {
            files
                .flatten()
                .any(|file| file.file_name().to_string_lossy().starts_with("libstd-"))
        })
}

/// The linker that comes with the toolchain, which links WebAssembly.
pub(crate) fn rust_lld() -> Result<PathBuf, Failure> {
    let sysroot = process::read(Command::new("rustc").args(["--print", "sysroot"]))?;
    let version = process::read(Command::new("rustc").arg("-vV"))?;
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .unwrap_or_default();
    let linker = PathBuf::from(sysroot.trim())
        .join("lib/rustlib")
        .join(host)
        .join("bin")
        .join(format!("rust-lld{}", std::env::consts::EXE_SUFFIX));
    if linker.is_file() {
        return Ok(linker);
    }
    process::on_path("rust-lld").ok_or_else(|| Failure::File {
        path: linker,
        why: "this toolchain has no linker for WebAssembly; rustup's toolchains have it".to_owned(),
    })
}

/// Whether this toolchain has the sources of its standard library.
pub(super) fn source_is_there() -> bool {
    process::ask(Command::new("rustc").args(["--print", "sysroot"])).is_some_and(|sysroot| {
        PathBuf::from(sysroot)
            .join("lib/rustlib/src/rust/library/Cargo.lock")
            .is_file()
    })
}
