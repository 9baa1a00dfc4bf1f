//! Turns the WebAssembly that rustc wrote into the pair of files that a browser can load.
//!
//! The glue never guesses where the `.wasm` is: the loader names the address. So a copy on a CDN,
//! Trunk's page and a bundler's output all work in the same way.

use std::fs;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

use crate::{foreign_exports, short_names};

/// The two halves of the glue's own loader. Its general form takes a module in six forms, and costs
/// a page 326 bytes more (brotli) than the one form that we use (`www/src/wechat-pay.js`).
const HALVES: &str = "export { __wbg_get_imports as imports, __wbg_finalize_init as start };\n";

/// How the glue notices that the memory has grown: a grown WebAssembly memory empties its old views.
const GROWN: &str = "cachedUint8ArrayMemory0.byteLength === 0";
/// The same by the buffer. The widget as JavaScript has a new buffer after it has grown, and cannot
/// empty views of the old one.
const GROWN_BY_BUFFER: &str = "cachedUint8ArrayMemory0.buffer !== wasm.memory.buffer";

/// Writes `{name}.js`, `{name}.d.ts` and `{name}_bg.wasm` into `out_dir`.
///
/// The name section stays, because xtask needs the names for its table of the biggest functions;
/// wasm-opt removes the names from the shipped file.
///
/// With `short`, the two files use short names for each other; the `.d.ts` does not list these
/// names.
pub(crate) fn write(wasm: &Path, out_dir: &Path, name: &str, short: bool) -> Result<(), String> {
    let compiled = fs::read(wasm).map_err(|error| format!("{}: {error}", wasm.display()))?;
    let compiled = foreign_exports::without_unused(&compiled)?;
    let failed = |error| format!("bindings of {}: {error:#}", wasm.display());
    let mut bindgen = Bindgen::new();
    let mut output = bindgen
        .web(true)
        .map_err(|error| format!("{error:#}"))?
        .input_bytes(name, compiled)
        .out_name(name)
        .typescript(true)
        .omit_default_module_path(true)
        .remove_producers_section(true)
        .generate_output()
        .map_err(failed)?;
    let names = short.then(|| short_names::shorten(output.wasm_mut()));
    output.emit(out_dir).map_err(failed)?;
    let glue = out_dir.join(format!("{name}.js"));
    let failed = |error: std::io::Error| format!("{}: {error}", glue.display());
    let text = fs::read_to_string(&glue).map_err(failed)?;
    let text = growing_by_buffer(&text)?;
    let text = names.map_or_else(|| text.clone(), |names| names.in_glue(&text));
    fs::write(&glue, text + HALVES).map_err(failed)
}

fn growing_by_buffer(glue: &str) -> Result<String, String> {
    match glue.matches(GROWN).count() {
        1 => Ok(glue.replace(GROWN, GROWN_BY_BUFFER)),
        count => Err(format!("the glue has {count} times `{GROWN}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::growing_by_buffer;

    #[test]
    fn the_glue_notices_a_new_buffer() {
        let glue =
            "if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) {}";
        let grown = growing_by_buffer(glue).unwrap();
        assert!(grown.ends_with("cachedUint8ArrayMemory0.buffer !== wasm.memory.buffer) {}"));
        assert!(growing_by_buffer("").is_err());
    }
}
