//! The crates that others can use, as they would be published: what a registry shows of them is complete, their
//! documentation has no warning, and each builds from its package. Nothing is uploaded, and no registry is asked.
//! Their interfaces are compared with the last release where there is one.

use std::env;
use std::process::Command;

use serde_json::Value;

use crate::failure::Failure;
use crate::setup::{self, Need, SEMVER_CHECKS, ToolCache};
use crate::{console, process, repository};

/// The variable that names what the interfaces are compared with: a revision, in place of the last release.
const BASELINE: &str = "SEMVER_BASELINE";
/// What a registry shows of a crate.
const SHOWN: [&str; 7] = [
    "description",
    "license",
    "repository",
    "readme",
    "keywords",
    "categories",
    "rust_version",
];

pub(super) fn check() -> Result<(), Failure> {
    let metadata = process::read(repository::cargo().args([
        "metadata",
        "--format-version=1",
        "--no-deps",
        "--locked",
    ]))?;
    let metadata: Value = serde_json::from_str(&metadata)
        .map_err(|error| Failure::Findings(vec![format!("cargo metadata: {error}")]))?;
    let crates = published(&metadata)?;
    process::run_shown(
        cargo("doc", &crates)
            .args(["--no-deps", "--all-features"])
            .env("RUSTDOCFLAGS", "--deny=warnings"),
    )?;
    process::run_shown(cargo("package", &crates).args(["--offline", "--allow-dirty"]))?;
    compare_with_baseline(&crates)
}

fn cargo(task: &str, crates: &[String]) -> Command {
    let mut cargo = repository::cargo();
    cargo
        .args([task, "--locked"])
        .args(crates.iter().map(|name| format!("--package={name}")));
    cargo
}

/// The names of the crates that may be published; an error if one lacks something that a registry shows.
fn published(metadata: &Value) -> Result<Vec<String>, Failure> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    // A list names the registries that are allowed; where there is no list, all of them are.
    let packages = packages.filter(|package| package["publish"].is_null());
    let mut names = Vec::new();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let is_missing = |field: &&&str| match &package[**field] {
            Value::Null => true,
            Value::Array(list) => list.is_empty(),
            _ => false,
        };
        let missing = SHOWN.iter().filter(is_missing);
        findings.extend(missing.map(|field| {
            format!(
                "crates/{name}/Cargo.toml: `{field}` is missing, and the crate is to be published"
            )
        }));
        names.push(name.to_owned());
    }
    if names.is_empty() {
        findings.push("no crate may be published".to_owned());
    }
    if findings.is_empty() {
        Ok(names)
    } else {
        Err(Failure::Findings(findings))
    }
}

fn compare_with_baseline(crates: &[String]) -> Result<(), Failure> {
    let named = env::var(BASELINE).ok().filter(|name| !name.is_empty());
    let Some(baseline) = named.or_else(last_release) else {
        console::note(format!(
            "SemVer: NOT RUN, because no release is tagged (v1.2.3) yet, and {BASELINE} names no revision"
        ));
        return Ok(());
    };
    setup::provide(&[Need::SemverChecks])?;
    let cache = ToolCache::of_this_user();
    let mut command = Command::new(SEMVER_CHECKS.program(&cache, "cargo-semver-checks"));
    command
        .args(["semver-checks", "--baseline-rev", &baseline])
        .args(crates.iter().map(|name| format!("--package={name}")))
        .current_dir(repository::root());
    process::run_shown(&mut command)
}

/// The tag of the last release before this commit.
fn last_release() -> Option<String> {
    process::ask(
        Command::new("git")
            .args(["describe", "--tags", "--abbrev=0", "--match=v[0-9]*"])
            .current_dir(repository::root()),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::published;

    fn package(name: &str, publish: &Value) -> Value {
        json!({
            "name": name, "publish": publish, "description": "Text to a path", "license": "MIT",
            "repository": "https://example.com", "readme": "README.md", "keywords": ["svg"],
            "categories": ["graphics"], "rust_version": "1.95",
        })
    }

    #[test]
    fn a_crate_is_published_unless_its_manifest_forbids_it() {
        let metadata = json!({ "packages": [
            package("qr-code", &Value::Null), package("demo-shop", &json!([])),
        ] });
        assert_eq!(published(&metadata).unwrap(), ["qr-code"]);
    }

    #[test]
    fn a_published_crate_lacks_nothing_that_a_registry_shows() {
        let mut crates = package("qr-code", &Value::Null);
        crates["readme"] = Value::Null;
        crates["keywords"] = json!([]);
        let refusal = published(&json!({ "packages": [crates] })).unwrap_err();
        let refusal = refusal.to_string();
        for field in ["`readme`", "`keywords`"] {
            assert!(refusal.contains(field), "{refusal}");
        }
        assert!(published(&json!({ "packages": [] })).is_err());
    }
}
