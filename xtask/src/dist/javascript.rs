//! The half of the bundle that is not Rust: copied, or bundled and minified into one file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::setup::NpmTool;
use crate::{process, repository};

/// The oldest browsers that can run the WebAssembly: the syntax of these and no newer.
const BROWSERS: &str = "--target=chrome74,safari13.1,firefox67";
/// esbuild counts Safari below 14.1 out for a fault in one rare form of it, which nobody writes.
const DESTRUCTURING: &str = "--supported:destructuring=true";

/// Where the JavaScript is written by hand.
pub(super) fn sources() -> PathBuf {
    repository::root().join("www/src")
}

/// Copies the sources into a folder.
pub(super) fn copy_sources(to: &Path) -> Result<(), Failure> {
    copy_tree(&sources(), to)
}

/// Names of wasm-bindgen's glue that it uses on its own objects alone.
const OF_GLUE: &str = "__wbg_ptr|__wrap|__destroy_into_raw";

/// Bundles a module and all that it imports into one minified module.
pub(super) fn bundle(entry: &Path, out: &Path) -> Result<(), Failure> {
    let bundled = entry.with_extension("bundled.js");
    process::run(
        NpmTool::Esbuild
            .command()
            .arg(entry)
            .args(["--bundle", "--minify", "--format=esm", "--charset=utf8"])
            // Our own have one line before them.
            .arg(format!("--mangle-props=^(_[a-zA-Z].*|{OF_GLUE})$"))
            .args([
                "--legal-comments=none",
                "--log-level=warning",
                BROWSERS,
                DESTRUCTURING,
            ])
            .arg(format!("--outfile={}", bundled.display())),
    )?;
    // esbuild bundles, and leaves 236 bytes (brotli) in it that terser finds.
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
