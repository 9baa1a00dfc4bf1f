//! A compiler for WebAssembly from Debian's packages, for machines where rustup cannot download.
//!
//! Debian builds its browsers with a Rust of its own, and ships that with the sources of the
//! standard library. The packages are unpacked into the tool cache and never installed, so no root
//! is needed and no toolchain of the machine is touched. rustup's cargo and linker stay in use;
//! the standard library is built beside the widget.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::debian;
use super::tool_cache::ToolCache;
use crate::failure::Failure;
use crate::{console, process};

/// The compiler, its own standard library for this machine, the sources of the one to build.
const PACKAGES: &[&str] = &["rustc-web", "libstd-rust-web-dev", "rust-web-src"];
/// Name prefixes of the libraries that these packages need and that a machine with rustup lacks.
const LIBRARIES: &[&str] = &["libstd-rust-web", "libllvm"];

/// Whether the compiler was unpacked before.
pub(super) fn is_there(cache: &ToolCache) -> bool {
    rustc(cache).is_file()
}

/// Unpacks the compiler into the cache.
pub(super) fn unpack(cache: &ToolCache) -> Result<(), Failure> {
    console::note("  taking the compiler out of Debian's packages (rustc-web, rust-web-src)");
    debian::refresh_lists()?;
    debian::unpack(&packages()?, &root(cache))
}

/// Makes a cargo command compile with this compiler.
pub(super) fn use_compiler(command: &mut Command, cache: &ToolCache) {
    command
        .env("RUSTC", rustc(cache))
        .env("LD_LIBRARY_PATH", library_path(cache));
}

/// The same for a build that cannot build the standard library by itself.
pub(super) fn use_toolchain(command: &mut Command, cache: &ToolCache, linker: &Path) {
    use_compiler(command, cache);
    command
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
}

fn root(cache: &ToolCache) -> PathBuf {
    cache.tool("debian-rust-web")
}

fn rustc(cache: &ToolCache) -> PathBuf {
    root(cache).join("usr/bin/rustc")
}

fn library_path(cache: &ToolCache) -> OsString {
    let architecture = process::ask(Command::new("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH"))
        .unwrap_or_else(|| format!("{}-linux-gnu", env::consts::ARCH));
    let mut path = root(cache)
        .join("usr/lib")
        .join(architecture)
        .into_os_string();
    if let Some(before) = env::var_os("LD_LIBRARY_PATH") {
        path.push(":");
        path.push(before);
    }
    path
}

fn packages() -> Result<Vec<String>, Failure> {
    let known = process::read(
        Command::new("apt-cache")
            .args(["depends", "--recurse", "--no-recommends", "--no-suggests"])
            .args([
                "--no-conflicts",
                "--no-breaks",
                "--no-replaces",
                "--no-enhances",
            ])
            .args(PACKAGES),
    )?;
    Ok(with_libraries(&known))
}

/// Our packages, and from `apt-cache depends` the libraries that they need.
fn with_libraries(known: &str) -> Vec<String> {
    let libraries = known
        .lines()
        .filter(|line| LIBRARIES.iter().any(|start| line.starts_with(start)));
    let mut packages: Vec<String> = PACKAGES
        .iter()
        .copied()
        .chain(libraries)
        .map(str::to_owned)
        .collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

#[cfg(test)]
mod tests {
    use super::with_libraries;

    #[test]
    fn only_the_libraries_of_this_version_are_unpacked() {
        let known = "rustc-web\n  Depends: libc6\n  Depends: libstd-rust-web-dev\nlibc6\n\
                     libstd-rust-web-dev\nlibstd-rust-web-1.96\nlibllvm22\nlibstdc++6\n";
        assert_eq!(
            with_libraries(known),
            [
                "libllvm22",
                "libstd-rust-web-1.96",
                "libstd-rust-web-dev",
                "rust-web-src",
                "rustc-web"
            ]
        );
    }
}
