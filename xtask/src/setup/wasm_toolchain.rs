//! The toolchain that builds for WebAssembly: rustup's target if it is available, otherwise
//! Debian's compiler.

use std::env;
use std::process::Command;

use super::step::{Action, DOWNLOAD_LIMIT, Step};
use super::tool_cache::ToolCache;
use super::{debian_toolchain, rust};
use crate::failure::{Failure, Source};
use crate::{console, process};

/// The variable that chooses the toolchain. `debian` uses Debian's compiler even if rustup's target
/// is installed: to test this way.
const CHOICE: &str = "WECHAT_PAY_WIDGET_WASM_TOOLCHAIN";

pub(super) fn step() -> Step {
    Step {
        name: "Rust's standard library for WebAssembly",
        is_done: |cache| {
            if debian_is_wanted() {
                debian_toolchain::is_there(cache)
            } else {
                rust::wasm_target_is_there() || debian_toolchain::is_there(cache)
            }
        },
        action: Action::Run(|cache| {
            if debian_is_wanted() {
                return debian_toolchain::unpack(cache);
            }
            rust::add_wasm_target().or_else(|failure| fall_back(cache, &failure))
        }),
        from: Source::Rust,
        by_hand: format!("rustup target add {}", rust::WASM),
    }
}

pub(super) fn source_step() -> Step {
    Step {
        name: "sources of Rust's standard library",
        is_done: |cache| rust::source_is_there() || debian_toolchain::is_there(cache),
        action: Action::Run(|cache| {
            process::run_within(
                Command::new("rustup").args(["component", "add", "rust-src"]),
                DOWNLOAD_LIMIT,
            )
            .or_else(|failure| fall_back(cache, &failure))
        }),
        from: Source::Rust,
        by_hand: "rustup component add rust-src".to_owned(),
    }
}

/// Installs Debian's compiler in place of rustup's target; the error has both reasons if that fails
/// too.
pub(super) fn fall_back(cache: &ToolCache, failure: &Failure) -> Result<(), Failure> {
    console::note(format!("  rustup cannot install it: {failure}"));
    debian_toolchain::unpack(cache).map_err(|second| {
        Failure::Findings(vec![
            failure.to_string(),
            format!("and Debian's compiler cannot be installed either: {second}"),
        ])
    })
}

/// Makes a cargo command, that builds the standard library itself, use the compiler for it.
pub(crate) fn use_wasm_compiler(command: &mut Command) {
    let cache = ToolCache::of_this_user();
    if debian_is_in_use(&cache, rust::source_is_there()) {
        debian_toolchain::use_compiler(command, &cache);
    }
}

/// Makes a cargo command, or one that calls cargo, build for WebAssembly.
pub(crate) fn use_wasm_toolchain(command: &mut Command) -> Result<(), Failure> {
    let cache = ToolCache::of_this_user();
    if debian_is_in_use(&cache, rust::wasm_target_is_there()) {
        debian_toolchain::use_toolchain(command, &cache, &rust::rust_lld()?);
    }
    Ok(())
}

fn debian_is_wanted() -> bool {
    env::var_os(CHOICE).is_some_and(|choice| choice == "debian")
}

fn debian_is_in_use(cache: &ToolCache, rustup_has_it: bool) -> bool {
    (debian_is_wanted() || !rustup_has_it) && debian_toolchain::is_there(cache)
}
