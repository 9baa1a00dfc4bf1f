//! The toolchain that builds for WebAssembly: rustup's target.

use std::process::Command;

use super::{Step, rust};
use crate::failure::Failure;

pub(super) fn step() -> Step {
    Step {
        name: "Rust's standard library for WebAssembly",
        is_done: |_| rust::wasm_target_is_there(),
        action: |_| rust::add_wasm_target().or_else(|failure| fall_back(&failure)),
        by_hand: format!("rustup target add {}", rust::WASM),
    }
}

/// Makes a cargo command, that builds the standard library itself, use the compiler for it.
pub(crate) fn use_wasm_compiler(_command: &mut Command) {}
/// Makes a cargo command build for WebAssembly with the standard library at hand.
pub(crate) fn use_wasm_toolchain(_command: &mut Command) {}
pub(super) fn fall_back(failure: &Failure) -> Result<(), Failure> {
    Err(Failure::Findings(vec![failure.to_string()]))
}
pub(super) fn debian_is_in_use() -> bool {
    false
}
