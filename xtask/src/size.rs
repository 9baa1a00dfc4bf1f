//! The size gate: the buyer's default download, compared with a limit. The limit rises only for a
//! change that is worth it to the buyer.

use std::fs;

use serde_json::Value;

use crate::failure::Failure;
use crate::{console, repository};

/// The file of the bundle with the sizes of the files that a page loads by default.
pub(crate) const MANIFEST: &str = "manifest.json";

/// WebAssembly and JavaScript together, brotli at quality 11. Lower it when the figure falls. Last
/// figure: 58,258 (wasm 50,013, JavaScript 8,245). With the heads of both answers it must stay below 59,000,
/// which `tests/browser/wire.rs` checks: few bytes of room are left.
const LIMIT_BYTES: u64 = 58_300;

/// Compares the bundle in `www/dist` with the limit.
pub(crate) fn check() -> Result<(), Failure> {
    let manifest = manifest()?;
    console::answer(rows(&manifest));
    let total = brotli_bytes(&manifest["total"]);
    if total > LIMIT_BYTES {
        return Err(Failure::Findings(vec![format!(
            "size gate: {total} bytes (brotli) are {} over the limit of {LIMIT_BYTES}; \
             `cargo xtask dist --top` shows the biggest functions",
            total - LIMIT_BYTES
        )]));
    }
    console::answer(format!(
        "{} bytes below the limit of {LIMIT_BYTES}",
        LIMIT_BYTES - total
    ));
    Ok(())
}

/// Whether there is a bundle in `www/dist`.
pub(crate) fn check_is_built() -> Result<(), Failure> {
    manifest().map(drop)
}

/// The sizes in `www/dist`, as tab-separated rows.
pub(crate) fn table() -> Result<String, Failure> {
    Ok(rows(&manifest()?))
}

fn manifest() -> Result<Value, Failure> {
    let file = repository::dist_dir().join(MANIFEST);
    let text = fs::read_to_string(&file).map_err(|error| Failure::File {
        path: file.clone(),
        why: format!("{error}; `cargo xtask dist` writes it"),
    })?;
    serde_json::from_str(&text).map_err(|error| Failure::File {
        path: file,
        why: error.to_string(),
    })
}

fn rows(manifest: &Value) -> String {
    let mut rows = vec!["file\traw\tgzip\tbrotli".to_owned()];
    for file in manifest["files"].as_array().into_iter().flatten() {
        rows.push(row(file["name"].as_str().unwrap_or("?"), file));
    }
    rows.push(row("total", &manifest["total"]));
    for file in manifest["others"].as_array().into_iter().flatten() {
        rows.push(row(file["name"].as_str().unwrap_or("?"), file));
    }
    rows.join("\n")
}

fn row(name: &str, weight: &Value) -> String {
    format!(
        "{name}\t{}\t{}\t{}",
        weight["raw_bytes"],
        weight["gzip_bytes"],
        brotli_bytes(weight)
    )
}

/// A manifest without the figure must not count as an empty bundle.
fn brotli_bytes(weight: &Value) -> u64 {
    weight["brotli_bytes"].as_u64().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{brotli_bytes, rows};

    #[test]
    fn each_file_and_the_total_have_a_row() {
        let weight = json!({"name": "a.js", "raw_bytes": 9, "gzip_bytes": 5, "brotli_bytes": 4});
        let manifest = json!({"files": [weight], "total": weight, "others": [weight]});
        assert_eq!(
            rows(&manifest),
            "file\traw\tgzip\tbrotli\na.js\t9\t5\t4\ntotal\t9\t5\t4\na.js\t9\t5\t4"
        );
    }

    #[test]
    fn a_manifest_without_sizes_exceeds_every_limit() {
        assert_eq!(brotli_bytes(&json!({})), u64::MAX);
    }
}
