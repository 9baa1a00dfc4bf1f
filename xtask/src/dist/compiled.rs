//! The cargo builds for the bundle: the name of their output, and a check that a build wrote its
//! file.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Failure;
use crate::process;

/// The name of wasm-bindgen's glue.
pub(super) const BINDINGS_NAME: &str = "wechat_pay_widget";

/// Runs a cargo build and returns the file that it wrote.
pub(super) fn built(mut cargo: Command, file: PathBuf) -> Result<PathBuf, Failure> {
    process::run(&mut cargo)?;
    if file.is_file() {
        return Ok(file);
    }
    Err(Failure::File {
        path: file,
        why: "cargo succeeded and did not write it".to_owned(),
    })
}
