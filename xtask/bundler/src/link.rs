//! Runs between rustc and its linker, so that functions that no page calls are not exported.
//!
//! An export is a root: the linker keeps everything that it references, and no later optimiser can
//! find out which entries of the function table are dead. So these few arguments are removed from
//! the command line before the linker sees it; all other arguments stay as they are.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use crate::foreign_exports::is_unused;

/// The variable that names the real linker.
const LINKER: &str = "BUNDLER_LINKER";

/// The arguments, if rustc called this program as its linker.
pub(crate) fn arguments() -> Option<Vec<OsString>> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    (arguments.first()? == "-flavor").then_some(arguments)
}

/// Runs the linker.
pub(crate) fn run(arguments: Vec<OsString>) -> Result<(), String> {
    let linker = env::var_os(LINKER).ok_or_else(|| format!("{LINKER} does not name a linker"))?;
    let status = Command::new(&linker)
        .args(without_unused_exports(arguments))
        .status()
        .map_err(|error| format!("{}: {error}", linker.to_string_lossy()))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("the linker ended with {status}"))
}

fn without_unused_exports(arguments: Vec<OsString>) -> Vec<OsString> {
    let mut kept: Vec<OsString> = Vec::with_capacity(arguments.len());
    for argument in arguments {
        if is_unused(argument.as_encoded_bytes()) {
            if kept.last().is_some_and(|flag| flag == "--export") {
                kept.pop();
                continue;
            }
            if argument.as_encoded_bytes().starts_with(b"--export=") {
                continue;
            }
        }
        kept.push(argument);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::without_unused_exports;

    #[test]
    fn only_unused_exports_are_removed() {
        let arguments = [
            "-flavor",
            "wasm",
            "--export",
            "mount",
            "--export",
            "intounderlyingsource_pull",
            "--export=__wbindgen_describe_intounderlyingsink_write",
            "--export=memory",
            "intounderlyingsource.o",
        ];
        assert_eq!(
            without_unused_exports(arguments.map(Into::into).into()),
            [
                "-flavor",
                "wasm",
                "--export",
                "mount",
                "--export=memory",
                "intounderlyingsource.o"
            ]
        );
    }
}
