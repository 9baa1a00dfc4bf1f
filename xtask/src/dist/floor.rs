//! The oldest browsers that can read the files of the bundle, proved by a parser that refuses newer
//! syntax and a validator that refuses later features of WebAssembly. What the browsers' own
//! functions are is proved by `tests/browser/older_browsers.rs`.
//!
//! - the classic script, with the WebAssembly or the JavaScript in its place: Chrome 57;
//! - the module: Chrome 61 and Safari 11.1;
//! - the module for bundlers: Chrome 64 and Safari 11.1, because bundlers need `import.meta.url`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::bundler;
use super::javascript::Form;
use crate::failure::Failure;
use crate::setup::NpmTool;
use crate::{process, repository};

/// The syntax that Chrome 57 has: ECMAScript 2017, with async functions.
const SCRIPT: &[&str] = &["--ecma2017"];
/// The syntax that Chrome 61 and Safari 11.1 have.
const MODULE: &[&str] = &["--ecma2017", "--module"];
/// The same with `import.meta`. The parser knows it as a part of ECMAScript 2020.
const MODULE_WITH_META: &[&str] = &["--ecma2020", "--module"];
/// The syntax that every browser has: the widget as JavaScript.
const WASM2JS: &[&str] = &["--ecma5"];

/// Syntax that came after each floor. A parser that accepts it proves nothing.
const NEWER: &[(&[&str], &str)] = &[
    (SCRIPT, "({ ...{} })"),
    (SCRIPT, "try {} catch {}"),
    (MODULE, "import.meta.url"),
    (MODULE, "import('./a.js')"),
    (MODULE, "/(?<=a)b/"),
    (MODULE_WITH_META, "a ||= 1"),
    (WASM2JS, "() => 1"),
];

/// Checks the bundle in `www/dist`.
pub(crate) fn check() -> Result<(), Failure> {
    let dist = repository::dist_dir();
    for (floor, text) in NEWER {
        let file = repository::target_dir().join("newer.js");
        fs::write(&file, text).map_err(Failure::file(&file))?;
        // `ask` keeps the parser's complaint off the terminal.
        if process::ask(&mut acorn(&file, floor)).is_some() {
            let what = format!("acorn {} accepts `{text}`", floor.join(" "));
            return Err(Failure::Findings(vec![what]));
        }
    }
    for form in Form::ALL {
        let floor = match form {
            Form::Module => MODULE,
            Form::Package => MODULE_WITH_META,
            Form::Classic => SCRIPT,
        };
        parse(&dist.join(form.name()), floor)?;
    }
    let mut checked = 0;
    for entry in fs::read_dir(&dist).map_err(Failure::file(&dist))? {
        let file = entry.map_err(Failure::file(&dist))?.path();
        let name = file.to_string_lossy();
        if name.ends_with(".nowasm.js") {
            parse(&file, WASM2JS)?;
            checked += 1;
        } else if file.extension().is_some_and(|ending| ending == "wasm") {
            bundler::check_floor(&file)?;
            checked += 1;
        }
    }
    if checked == 2 {
        return Ok(());
    }
    let what = format!("{checked} files of the widget in place of two");
    Err(Failure::Findings(vec![what]))
}

fn parse(file: &Path, floor: &[&str]) -> Result<(), Failure> {
    process::run(&mut acorn(file, floor))
}

fn acorn(file: &Path, floor: &[&str]) -> Command {
    let mut acorn = NpmTool::Acorn.command();
    acorn.args(floor).arg("--silent").arg(file);
    acorn
}
