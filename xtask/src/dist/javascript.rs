//! The part of the bundle that is not Rust: copied, or bundled and minified into one file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::setup::NpmTool;
use crate::{process, repository};

/// The oldest browsers that can run the WebAssembly: the output uses no newer syntax.
const BROWSERS: &str = "--target=chrome74,safari13.1,firefox67";
/// esbuild excludes Safari below 14.1 because of a fault in a rare form of this syntax, which our
/// sources do not use.
const DESTRUCTURING: &str = "--supported:destructuring=true";

/// The folder with the hand-written JavaScript.
pub(super) fn sources() -> PathBuf {
    repository::root().join("www/src")
}

/// Copies the sources into a folder.
pub(super) fn copy_sources(to: &Path) -> Result<(), Failure> {
    copy_tree(&sources(), to)
}

/// Names of wasm-bindgen's glue that it uses only on its own objects.
const OF_GLUE: &str = "__wbg_ptr|__wrap|__destroy_into_raw";

/// Bundles a module and all its imports into one minified module.
pub(super) fn bundle(entry: &Path, out: &Path) -> Result<(), Failure> {
    let bundled = entry.with_extension("bundled.js");
    process::run(
        NpmTool::Esbuild
            .command()
            .arg(entry)
            .args(["--bundle", "--minify", "--format=esm", "--charset=utf8"])
            // Our own private names begin with one underscore.
            .arg(format!("--mangle-props=^(_[a-zA-Z].*|{OF_GLUE})$"))
            .args([
                "--legal-comments=none",
                "--log-level=warning",
                BROWSERS,
                DESTRUCTURING,
            ])
            .arg(format!("--outfile={}", bundled.display())),
    )?;
    // terser removes 236 more bytes (brotli) from the output of esbuild.
    process::run(
        NpmTool::Terser
            .command()
            .arg(&bundled)
            .args(["--module", "--mangle", "--ecma=2018", "--compress"])
            .arg("passes=3,unsafe_arrows,keep_fargs=false")
            .arg("--output")
            .arg(out),
    )
}

/// Minifies a classic script that wasm2js wrote.
pub(super) fn minify_script(script: &Path, out: &Path) -> Result<(), Failure> {
    process::run(
        NpmTool::Terser
            .command()
            .arg(script)
            .args(["--mangle", "--ecma=5", "--compress=passes=2"])
            .arg("--output")
            .arg(out),
    )
}

/// Copies a folder with all that is in it.
pub(super) fn copy_tree(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(Failure::file(to))?;
    for entry in fs::read_dir(from).map_err(Failure::file(from))? {
        let entry = entry.map_err(Failure::file(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target)?;
        } else {
            fs::copy(&source, &target).map_err(Failure::file(&source))?;
        }
    }
    Ok(())
}
