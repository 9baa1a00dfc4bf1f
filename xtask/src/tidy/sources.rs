//! Rules for the text and the names of source files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::repository;
use crate::tidy::{prose, style};

/// Folders without hand-written files.
const GENERATED: &[&str] = &["target", "node_modules", "dist", "demo-data", ".git"];

/// Names that do not say what is inside.
const EMPTY_NAMES: &[&str] = &[
    "utils", "util", "helpers", "helper", "common", "types", "misc", "manager", "shared",
];

/// Only `src/` uses the browser. Each name is in two parts, so that this file does not break the rule.
const BROWSER_CRATES: &[&str] = &[
    concat!("web", "_sys"),
    concat!("js", "_sys"),
    concat!("lept", "os"),
];

/// Clocks and I/O of the standard library, which `Cargo.toml` does not show.
const NOT_FOR_CHECKOUT: &[&str] = &[
    "SystemTime",
    "Instant",
    "std::net",
    "std::fs",
    "std::thread",
    "std::env",
    "async fn",
];

/// Beginnings of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("C:\\Us", "ers"),
];

/// Every text file: its path from the root, and its content.
pub(super) fn texts() -> Result<Vec<(String, String)>, Failure> {
    let mut files = Vec::new();
    collect(repository::root(), &mut files)?;
    files.sort();
    // Pictures and test keys are not text; the rules are about text.
    let text_of = |file: &PathBuf| {
        let text = fs::read_to_string(file).ok()?;
        let path = file.strip_prefix(repository::root()).unwrap_or(file);
        Some((path.to_string_lossy().replace('\\', "/"), text))
    };
    Ok(files.iter().filter_map(text_of).collect())
}

pub(super) fn findings(texts: &[(String, String)]) -> Vec<String> {
    let mut findings = Vec::new();
    for (path, text) in texts {
        let rules = broken_rules(path, text);
        findings.extend(rules.into_iter().map(|rule| format!("{path}: {rule}")));
    }
    findings
}

fn broken_rules(path: &str, text: &str) -> Vec<String> {
    let mut rules = Vec::new();
    if Path::new(path)
        .extension()
        .is_some_and(|ending| ending == "rs")
    {
        if !text.starts_with("//!") {
            rules.push("a module begins with `//!`: what it is, what it never does".to_owned());
        }
        if let Some(name) = empty_name(path) {
            rules.push(format!(
                "`{name}` does not say what is inside: use a noun of the domain"
            ));
        }
        rules.extend(style::broken_rules(text));
        // An example has the name of its framework.
        let is_of_examples = path.starts_with("tests/www_examples/");
        if path.starts_with("crates/") || path.starts_with("tests/") && !is_of_examples {
            rules.extend(
                named(text, BROWSER_CRATES)
                    .map(|name| format!("names `{name}`, and only src/ may use the browser")),
            );
        }
        // A derived decoder reads properties that a page's `Object.prototype` may have added.
        if path.starts_with("src/") && named(text, &["Deserialize"]).next().is_some() {
            rules.push("names `Deserialize`: the widget reads objects field by field".to_owned());
        }
        if path.starts_with("crates/checkout/src/") {
            rules.extend(named(text, NOT_FOR_CHECKOUT).map(|name| {
                format!("names `{name}`: the machine does no I/O, and its time and randomness come in as data")
            }));
        }
    }
    rules.extend(prose::broken_rules(path, text));
    if path.ends_with("package-lock.json") && text.contains("\"resolved\"") {
        rules.push(
            "a lock file must not name a registry: npm install --omit-lockfile-registry-resolved"
                .to_owned(),
        );
    }
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(start) = MACHINE_PATHS.iter().find(|start| names_path(line, start)) {
            rules.push(format!(
                "line {number} names a path of one machine ({start}…)"
            ));
        }
    }
    rules
}

fn named<'a>(text: &str, names: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    names.iter().copied().filter(|name| {
        text.lines()
            .map(|line| line.split("//").next().unwrap_or(line))
            .any(|code| code.contains(name))
    })
}

fn empty_name(path: &str) -> Option<&str> {
    path.split('/')
        .map(|part| part.strip_suffix(".rs").unwrap_or(part))
        .find(|part| EMPTY_NAMES.contains(part))
}

/// Whether the line names a path, and not the middle of an address such as `https://example.com/home/`.
fn names_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        !line[..at]
            .chars()
            .next_back()
            .is_some_and(|before| before.is_alphanumeric() || "-_.~}*:$".contains(before))
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let entry = entry.map_err(Failure::file(folder))?;
        let path = entry.path();
        let name = entry.file_name();
        // In a worktree `.git` is a file that names a path of this machine.
        if GENERATED.iter().any(|generated| name == *generated) {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::broken_rules;

    #[test]
    fn each_rule_finds_its_violation() {
        let home = concat!("cp x /ho", "me/someone/y");
        for (path, text, said) in [
            (
                "crates/checkout/src/state.rs",
                "use std::fmt;",
                "begins with",
            ),
            ("crates/checkout/src/utils.rs", "//! x", "`utils`"),
            ("crates/merchant-server/src/misc/a.rs", "//! x", "`misc`"),
            (
                "crates/qr-code/src/lib.rs",
                concat!("//! x\nuse web", "_sys::Window;"),
                "only src/",
            ),
            (
                "src/options.rs",
                "//! x\nuse serde::Deserialize;",
                "field by field",
            ),
            (
                "crates/checkout/src/poll.rs",
                "//! x\nuse std::time::Instant;",
                "come in as data",
            ),
            ("www/package-lock.json", "{\"resolved\": \"\"}", "registry"),
            ("README.md", home, "line 1 names a path"),
        ] {
            let rules = broken_rules(path, text);
            assert!(
                rules.len() == 1 && rules[0].contains(said),
                "{path}: {rules:?}"
            );
        }
    }

    #[test]
    fn allowed_text_is_not_reported() {
        for (path, text) in [
            (
                "src/view/qr_code.rs",
                concat!("//! x\nuse lept", "os::prelude::*;"),
            ),
            (
                "crates/checkout/src/lib.rs",
                "//! x\n// never an Instant\nuse std::fmt;",
            ),
            (
                "README.md",
                "see https://example.com/home/ and $HOME/.cache",
            ),
            ("www/examples/php/index.php", "<?php"),
        ] {
            assert!(broken_rules(path, text).is_empty(), "{path}");
        }
    }
}
