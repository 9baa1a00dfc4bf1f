//! Parts of the Rust toolchain that rustup can add.

use std::path::PathBuf;
use std::process::Command;

use super::step::DOWNLOAD_LIMIT;
use crate::failure::Failure;
use crate::process;

/// The target that the widget is built for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Asks rustup for the built standard library of WebAssembly.
pub(super) fn add_wasm_target() -> Result<(), Failure> {
    process::run_within(
        Command::new("rustup").args(["target", "add", WASM]),
        DOWNLOAD_LIMIT,
    )
}

/// Whether this toolchain has a standard library for WebAssembly.
pub(super) fn wasm_target_is_there() -> bool {
    let folder =
        process::ask(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM]));
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
