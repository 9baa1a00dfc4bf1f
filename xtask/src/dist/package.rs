//! The npm package: `www/dist` can be published as it is. `www/package` has the parts that people
//! write; version, names, digests and licences are filled in here.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{bundler, licences};
use crate::failure::Failure;
use crate::repository;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Files of the package that are copied as they are, from the repository's root.
const COPIED: &[&str] = &[
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "www/custom-elements.json",
    "www/src/react.d.ts",
    "www/src/react.js",
];
/// Texts in which version and digests are filled in.
const READMES: &[&str] = &["README.md", "README.zh-CN.md"];
/// The licences of what is compiled in.
const LICENCES: &str = "THIRD-PARTY-LICENSES.txt";
/// The digest of each file that a page loads.
const INTEGRITY: &str = "integrity.json";

/// Completes the package in `out`, which has these files already. `renamed` has the plain names of
/// files and the names with which they ship.
pub(super) fn complete(
    out: &Path,
    loaded: &[PathBuf],
    renamed: &[(&str, String)],
) -> Result<(), Failure> {
    for from in COPIED {
        let from = repository::root().join(from);
        let to = out.join(from.file_name().unwrap_or_default());
        fs::copy(&from, to).map_err(Failure::file(from))?;
    }
    write(&out.join(LICENCES), &licences::of_widget()?)?;
    let integrity = bundler::integrity(loaded)?;
    write(&out.join(INTEGRITY), &integrity)?;
    let integrity: Value = parse(&out.join(INTEGRITY), &integrity)?;
    for name in READMES {
        let source = sources().join(name);
        let text = fs::read_to_string(&source).map_err(Failure::file(&source))?;
        write(&out.join(name), &filled_in(&text, &integrity))?;
    }
    let source = sources().join("package.json");
    let mut text = fs::read_to_string(&source).map_err(Failure::file(&source))?;
    for (plain, name) in renamed {
        text = text.replace(&format!("./{plain}\""), &format!("./{name}\""));
    }
    // As text: the order of conditions in `exports` counts, and a JSON value does not keep it.
    let files = serde_json::to_string(&published(out)?).unwrap_or_default();
    let text = text.replace("\"files\": []", &format!("\"files\": {files}"));
    let text = text.replace("VERSION", VERSION);
    parse(&source, &text)?;
    write(&out.join("package.json"), &text)
}

fn sources() -> PathBuf {
    repository::root().join("www/package")
}

/// All files, without their compressed forms and the table of sizes.
fn published(out: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs::read_dir(out).map_err(Failure::file(out))? {
        let name = entry.map_err(Failure::file(out))?.file_name();
        let name = name.to_string_lossy().into_owned();
        let ending = name.rsplit('.').next();
        let is_of_server = matches!(ending, Some("br" | "gz")) || name == crate::size::MANIFEST;
        if !is_of_server {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn filled_in(text: &str, integrity: &Value) -> String {
    let mut text = text.replace("VERSION", VERSION);
    for (name, value) in integrity.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        text = text.replace(&format!("INTEGRITY({name})"), value);
    }
    text
}

fn parse(file: &Path, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::File {
        path: file.into(),
        why: error.to_string(),
    })
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    fs::write(file, text).map_err(Failure::file(file))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{VERSION, filled_in};

    #[test]
    fn version_and_digests_are_filled_in() {
        let text = "wechat-pay-VERSION-….wasm INTEGRITY(a.js)";
        let filled = filled_in(text, &json!({"a.js": "sha384-abc"}));
        assert_eq!(filled, format!("wechat-pay-{VERSION}-….wasm sha384-abc"));
    }
}
