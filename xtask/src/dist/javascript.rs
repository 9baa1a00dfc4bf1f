//! The part of the bundle that is not Rust: copied, or bundled and minified into one file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::setup::NpmTool;
use crate::{process, repository};

/// One of the files that define the element. All are made from the same sources, and differ in how
/// they find the files beside them, and so in the oldest browsers that can parse them.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// The module that pages load.
    Module,
    /// The module for bundlers, which find the other files by `import.meta.url`.
    Package,
    /// The script for pages without modules.
    Classic,
}

impl Form {
    /// All forms.
    pub(super) const ALL: [Self; 3] = [Self::Module, Self::Package, Self::Classic];

    /// The name of the file.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Module => "wechat-pay.js",
            Self::Package => "index.js",
            Self::Classic => "wechat-pay.classic.js",
        }
    }

    /// esbuild's options. `import.meta` is syntax that browsers know since Chrome 64.
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Module => &[
                "--format=esm",
                "--target=chrome61,safari11.1,firefox60",
                "--define:import.meta.url=OWN_ADDRESS",
                "--inject:address_of_module.js",
            ],
            Self::Package => &["--format=esm", "--target=chrome64,safari11.1,firefox62"],
            Self::Classic => &[
                "--format=iife",
                "--target=chrome57,safari11,firefox55",
                "--define:import.meta.url=OWN_ADDRESS",
                "--inject:address_of_script.js",
            ],
        }
    }
}

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

/// Bundles a module and all its imports into one minified file.
pub(super) fn bundle(entry: &Path, form: Form, out: &Path) -> Result<(), Failure> {
    let bundled = entry.with_extension("bundled.js");
    process::run(
        NpmTool::Esbuild
            .command()
            .arg(entry)
            .args(["--bundle", "--minify", "--charset=utf8"])
            // Our own private names begin with one underscore.
            .arg(format!("--mangle-props=^(_[a-zA-Z].*|{OF_GLUE})$"))
            .args(["--legal-comments=none", "--log-level=warning"])
            .args(form.options())
            .args([DESTRUCTURING])
            .arg(format!("--outfile={}", bundled.display()))
            .current_dir(entry.parent().unwrap_or(entry)),
    )?;
    let mut terser = NpmTool::Terser.command();
    terser
        .arg(&bundled)
        .args(["--mangle", "--ecma=2017", "--compress"])
        .arg("passes=3,unsafe_arrows,keep_fargs=false")
        .arg("--output")
        .arg(out);
    if !matches!(form, Form::Classic) {
        terser.arg("--module");
    }
    // terser removes 236 more bytes (brotli) from the output of esbuild.
    process::run(&mut terser)
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
