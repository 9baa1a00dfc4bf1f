//! The bill of materials of a program (CycloneDX 1.5, JSON): every crate that is compiled in, with its
//! version, its address in the registry, its checksum and its licence. What runs only at build time or
//! in tests is not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::dist::licences;
use crate::failure::Failure;
use crate::repository;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The document for a program's package, built for a target.
pub(super) fn of(program: &str, target: &str) -> Result<String, Failure> {
    let package = format!("--package={program}");
    let compiled_in = licences::compiled_in(&[&package], target)?;
    let metadata = licences::metadata(target)?;
    let lock = repository::root().join("Cargo.lock");
    let lock = fs::read_to_string(&lock).map_err(Failure::file(lock))?;
    let document = document(program, &metadata, &compiled_in, &checksums(&lock));
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    Ok(text + "\n")
}

/// It has no time and no serial number, so that two builds are equal.
fn document(
    program: &str,
    metadata: &Value,
    compiled_in: &BTreeSet<String>,
    checksums: &BTreeMap<String, String>,
) -> Value {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let packages: Vec<_> = packages
        .filter(|package| compiled_in.contains(&name_of(package)))
        .collect();
    let references: BTreeMap<&str, String> = packages
        .iter()
        .map(|package| (text(package, "id"), address(package)))
        .collect();
    let is_own = |package: &&Value| text(package, "name") == program;
    let own = packages.iter().copied().find(is_own);
    let others = packages.iter().copied().filter(|package| !is_own(package));
    let mut components: Vec<_> = others
        .map(|package| component("library", package, checksums))
        .collect();
    components.sort_by_key(|component| component["bom-ref"].to_string());
    let own = own.map(|package| component("application", package, checksums));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": own,
            "tools": { "components": [
                { "type": "application", "name": "cargo xtask release", "version": VERSION },
            ] },
        },
        "components": components,
        "dependencies": dependencies(metadata, &references),
    })
}

fn component(kind: &str, package: &Value, checksums: &BTreeMap<String, String>) -> Value {
    let mut component = json!({
        "type": kind,
        "bom-ref": address(package),
        "name": text(package, "name"),
        "version": text(package, "version"),
        "purl": address(package),
    });
    // Older crates separate two licences by a slash, which is no SPDX expression.
    let licence = text(package, "license")
        .replace(" / ", " OR ")
        .replace('/', " OR ");
    if !licence.is_empty() {
        component["licenses"] = json!([{ "expression": licence }]);
    }
    if let Some(sum) = checksums.get(&name_of(package)) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sum }]);
    }
    if let Some(address) = package["repository"].as_str() {
        component["externalReferences"] = json!([{ "type": "vcs", "url": address }]);
    }
    component
}

/// Which component needs which. Only components have a row.
fn dependencies(metadata: &Value, references: &BTreeMap<&str, String>) -> Vec<Value> {
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten();
    let mut rows = Vec::new();
    for node in nodes {
        let Some(reference) = references.get(text(node, "id")) else {
            continue;
        };
        let needed = node["deps"].as_array().into_iter().flatten();
        let needed: BTreeSet<_> = needed
            .filter(|dependency| {
                let kinds = dependency["dep_kinds"].as_array();
                kinds
                    .into_iter()
                    .flatten()
                    .any(|kind| kind["kind"].is_null())
            })
            .filter_map(|dependency| references.get(text(dependency, "pkg")))
            .collect();
        rows.push(json!({ "ref": reference, "dependsOn": needed }));
    }
    rows.sort_by_key(|row| row["ref"].to_string());
    rows
}

/// `name version`
fn name_of(package: &Value) -> String {
    format!("{} {}", text(package, "name"), text(package, "version"))
}

/// The package URL: <https://github.com/package-url/purl-spec>.
fn address(package: &Value) -> String {
    let version = text(package, "version").replace('+', "%2B");
    format!("pkg:cargo/{}@{version}", text(package, "name"))
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The checksum of each `name version` of `Cargo.lock`.
fn checksums(lock: &str) -> BTreeMap<String, String> {
    let mut sums = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let field = |name: &str| {
            package.lines().find_map(|line| {
                let (key, value) = line.split_once(" = ")?;
                (key == name).then(|| value.trim_matches('"'))
            })
        };
        if let (Some(name), Some(version), Some(sum)) =
            (field("name"), field("version"), field("checksum"))
        {
            sums.insert(format!("{name} {version}"), sum.to_owned());
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::of;
    use crate::repository;

    /// Its own standard library is not needed to resolve a target's crates.
    const TARGET: &str = "x86_64-unknown-linux-gnu";

    fn names(sbom: &Value) -> BTreeSet<String> {
        let components = sbom["components"].as_array().unwrap();
        components
            .iter()
            .map(|component| component["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The names of cargo's own listing.
    fn listed(edges: &str) -> BTreeSet<String> {
        let listed = crate::process::read(repository::cargo().args([
            "tree",
            "--locked",
            "--package=merchant-server",
            "--target",
            TARGET,
            "--edges",
            edges,
            "--prefix=none",
            "--format={p}",
        ]));
        let listed = listed.unwrap();
        let names = listed.lines().filter_map(|line| line.split(' ').next());
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_crate_of_the_server_is_in_its_bill_and_no_crate_of_its_tests() {
        let sbom: Value = serde_json::from_str(&of("merchant-server", TARGET).unwrap()).unwrap();
        let mut names = names(&sbom);
        names.insert("merchant-server".to_owned());
        let shipped = listed("normal,no-proc-macro");
        assert!(
            shipped.len() > 100 && shipped.contains("axum"),
            "{shipped:?}"
        );
        assert_eq!(names, shipped);
        let with_tests = listed("normal,dev,no-proc-macro");
        for only_in_tests in ["proptest", "standardwebhooks", "wechat-pay-simulator"] {
            assert!(with_tests.contains(only_in_tests), "{only_in_tests}");
            assert!(!names.contains(only_in_tests), "{only_in_tests}");
        }
        assert!(!names.contains("serde_derive"), "macros do not ship");
    }

    #[test]
    fn each_foreign_crate_has_a_checksum_a_licence_and_a_row_of_what_it_needs() {
        let sbom: Value = serde_json::from_str(&of("merchant-server", TARGET).unwrap()).unwrap();
        let rows = sbom["dependencies"].as_array().unwrap();
        let rows: BTreeSet<_> = rows
            .iter()
            .map(|row| row["ref"].as_str().unwrap())
            .collect();
        let mut with_sum = 0;
        for component in sbom["components"].as_array().unwrap() {
            let licence = component["licenses"][0]["expression"].as_str();
            assert!(
                licence.is_some_and(|licence| !licence.contains('/')),
                "{component}"
            );
            assert!(
                rows.contains(component["bom-ref"].as_str().unwrap()),
                "{component}"
            );
            let sum = component["hashes"][0]["content"].as_str();
            with_sum += usize::from(sum.is_some_and(|sum| sum.len() == 64));
        }
        let ours = sbom["components"].as_array().unwrap().len() - with_sum;
        assert!(ours < 12, "{ours} without a checksum");
        assert_eq!(sbom["metadata"]["component"]["name"], "merchant-server");
    }
}
