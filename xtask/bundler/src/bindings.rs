//! From the WebAssembly that rustc wrote to the pair a browser can load.
//!
//! The glue never guesses where the `.wasm` lies: the loader names the address, so that a copy
//! on a CDN, Trunk's page and a bundler's output all work the same.

use std::fs;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

use crate::foreign_exports;

/// Writes `{name}.js`, `{name}.d.ts` and `{name}_bg.wasm` into `out_dir`.
///
/// The name section stays: xtask wants the names for its table of the biggest functions, and
/// wasm-opt drops them from what is shipped.
pub(crate) fn write(wasm: &Path, out_dir: &Path, name: &str) -> Result<(), String> {
    let compiled = fs::read(wasm).map_err(|error| format!("{}: {error}", wasm.display()))?;
    let compiled = foreign_exports::without_unused(&compiled)?;
    let mut bindgen = Bindgen::new();
    bindgen
        .web(true)
        .map_err(|error| format!("{error:#}"))?
        .input_bytes(name, compiled)
        .out_name(name)
        .typescript(true)
        .omit_default_module_path(true)
        .remove_producers_section(true)
        .generate(out_dir)
        .map_err(|error| format!("bindings of {}: {error:#}", wasm.display()))
}
