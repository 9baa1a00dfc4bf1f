//! The widget as JavaScript, made from the WebAssembly by binaryen's wasm2js, for browsers and
//! pages without WebAssembly. `www/src/without_wasm.js` loads it. It never differs from the
//! WebAssembly in what it does.

use std::fs;
use std::path::Path;

use super::javascript;
use crate::failure::Failure;
use crate::process;
use crate::setup::NpmTool;

/// The script is a classic one, because browsers load it by a script element. It leaves its one
/// function on that element.
const HEAD: &str = "document.currentScript.instantiate = function (imports) {";
const TAIL: &str = "\nreturn { exports: asmFunc(imports) };\n};\n";

/// Where wasm2js's own loading begins, after all functions.
const LOADING: &str = "var retasmFunc = asmFunc(";

/// A trap is what `WebAssembly` throws, by its name: the element ends an instance that trapped.
const TRAP: &str = "throw new Error('abort')";
const NAMED_TRAP: &str = "throw Object.assign(new Error('unreachable'), { name: 'RuntimeError' })";

/// Writes the script for a WebAssembly file.
pub(super) fn write(wasm: &Path, out: &Path) -> Result<(), Failure> {
    let module = out.with_extension("module.js");
    process::run(
        NpmTool::Wasm2Js
            .command()
            .args(["--mvp-features", "-Oz"])
            .arg(wasm)
            .arg("--output")
            .arg(&module),
    )?;
    let text = fs::read_to_string(&module).map_err(Failure::file(&module))?;
    let script = script(&text).map_err(|what| Failure::File {
        path: module.clone(),
        why: format!("wasm2js wrote no {what}"),
    })?;
    fs::write(&module, script).map_err(Failure::file(&module))?;
    javascript::minify_script(&module, out)?;
    fs::remove_file(&module).map_err(Failure::file(&module))
}

/// A classic script in place of the module that wasm2js wrote. The error names what is not as
/// expected.
fn script(module: &str) -> Result<String, &'static str> {
    let (functions, _) = module.split_once(LOADING).ok_or(LOADING)?;
    let functions = functions.trim_start();
    let (import, functions) = functions.split_once('\n').ok_or("import")?;
    if !import.starts_with("import * as ") || functions.trim_start().starts_with("import ") {
        return Err("single import");
    }
    if functions.matches(TRAP).count() != 1 {
        return Err(TRAP);
    }
    Ok([HEAD, &functions.replace(TRAP, NAMED_TRAP), TAIL].concat())
}

#[cfg(test)]
mod tests {
    use super::script;

    const MODULE: &str = "import * as a from 'a';

        function wasm2js_trap() { throw new Error('abort'); }
        function asmFunc(imports) { return { b: wasm2js_trap }; }
        var retasmFunc = asmFunc({
          \"a\": a,
        });
        export var b = retasmFunc.b;
        ";

    #[test]
    fn a_script_keeps_the_functions_and_loads_nothing() {
        let script = script(MODULE).unwrap();
        for kept in [
            "asmFunc(imports) {",
            "exports: asmFunc(imports)",
            "'RuntimeError'",
        ] {
            assert!(script.contains(kept), "{kept}: {script}");
        }
        for gone in ["import *", "export", "retasmFunc"] {
            assert!(!script.contains(&format!("\n{gone}")), "{gone}: {script}");
        }
    }

    #[test]
    fn another_layout_is_refused() {
        for (before, after) in [
            ("retasmFunc", "loaded"),
            ("'abort'", "'trap'"),
            ("import * as a from 'a';", ""),
            (
                "import * as a from 'a';",
                "import * as a from 'a';\nimport * as b from 'b';",
            ),
        ] {
            let module = MODULE.replace(before, after);
            assert!(script(&module).is_err(), "{module}");
        }
    }
}
