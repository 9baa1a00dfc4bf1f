//! The licences of the crates that are compiled into what ships, as one text. Macros run at build
//! time only and are not part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;
use crate::setup::WASM_TARGET;
use crate::{process, repository};

/// Beginnings of the names of files with a licence or a notice, in upper case.
const FILES: &[&str] = &[
    "LICENSE",
    "LICENCE",
    "COPYING",
    "COPYRIGHT",
    "NOTICE",
    "UNLICENSE",
];
/// Every program also has parts of Rust's standard library, which has no entry in cargo's tree.
const STANDARD_LIBRARY: &str = "\
Rust's standard library (core, alloc, std) <https://www.rust-lang.org>: MIT OR Apache-2.0
";

/// The text for the widget.
pub(super) fn of_widget() -> Result<String, Failure> {
    of(
        "the widget",
        &["--package=wechat-pay-widget", "--features=bundle"],
        WASM_TARGET,
    )
}

/// What cargo knows of all crates, as built for a target: the JSON of `cargo metadata`.
pub(crate) fn metadata(target: &str) -> Result<Value, Failure> {
    let text = process::read(repository::cargo().args([
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform",
        target,
    ]))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::Findings(vec![format!("cargo metadata: {error}")]))
}

/// The text for what is built of these packages for a target.
pub(crate) fn of(what: &str, packages: &[&str], target: &str) -> Result<String, Failure> {
    let crates = compiled_in(packages, target)?;
    let metadata = metadata(target)?;
    let mut list = STANDARD_LIBRARY.to_owned();
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut found = 0;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let field = |name: &str| package[name].as_str().unwrap_or_default();
        let name = format!("{} {}", field("name"), field("version"));
        // Our own crates have the licence of the package.
        if !crates.contains(&name) || package["source"].is_null() {
            continue;
        }
        found += 1;
        let _ = writeln!(
            list,
            "{name} <{}>: {}",
            field("repository"),
            field("license")
        );
        for text in texts_in(Path::new(field("manifest_path")))? {
            texts.entry(text).or_default().push(name.clone());
        }
    }
    if found == 0 || texts.is_empty() {
        return Err(Failure::Findings(vec![
            "no crate with a licence".to_owned(),
        ]));
    }
    let mut all = format!("Compiled into {what}:\n\n{list}");
    for (text, names) in texts {
        let _ = write!(
            all,
            "\n{}\n\n{}\n\n{}\n",
            "-".repeat(72),
            names.join(", "),
            text
        );
    }
    Ok(all)
}

/// `name version` of each crate in what is built of these packages.
pub(crate) fn compiled_in(packages: &[&str], target: &str) -> Result<BTreeSet<String>, Failure> {
    let tree = process::read(
        repository::cargo()
            .args(["tree", "--locked"])
            .args(packages)
            .args([
                "--target",
                target,
                "--edges=normal,no-proc-macro",
                "--prefix=none",
                "--format={p}",
            ]),
    )?;
    let crates = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, version) = (words.next()?, words.next()?);
        Some(format!("{name} {}", version.trim_start_matches('v')))
    });
    Ok(crates.collect())
}

fn texts_in(manifest: &Path) -> Result<Vec<String>, Failure> {
    let folder = manifest.parent().unwrap_or(manifest);
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let file = entry.map_err(Failure::file(folder))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_uppercase();
        if file.is_file() && FILES.iter().any(|beginning| name.starts_with(beginning)) {
            let text = fs::read_to_string(&file).map_err(Failure::file(&file))?;
            texts.push(text.replace("\r\n", "\n").trim().to_owned());
        }
    }
    texts.sort();
    Ok(texts)
}
