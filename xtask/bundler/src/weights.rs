//! What a buyer downloads, in bytes: raw, gzip at level 9, brotli at quality 11.
//!
//! Sizes only; whether they are allowed is decided by `cargo xtask size`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

const BROTLI_QUALITY: i32 = 11;
/// The window of the `brotli` command, 4 MiB: larger than any file of ours.
const BROTLI_LOG_WINDOW: i32 = 22;

/// `{"files":[{"name","raw_bytes","gzip_bytes","brotli_bytes"}],"total":{…}}`, files in the
/// order given, `name` being the last part of each path.
pub(crate) fn manifest(files: &[PathBuf]) -> Result<String, String> {
    let mut total = Weight::default();
    let mut rows = Vec::new();
    for file in files {
        let weight = Weight::of(file)?;
        total.add(&weight);
        let mut row = json!({ "name": file.file_name().map(|name| name.to_string_lossy()) });
        weight.write_into(&mut row);
        rows.push(row);
    }
    let mut sum = json!({});
    total.write_into(&mut sum);
    serde_json::to_string_pretty(&json!({ "files": rows, "total": sum }))
        .map_err(|error| error.to_string())
}

/// All in bytes.
#[derive(Default)]
struct Weight {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Weight {
    fn of(file: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        let content = fs::read(file).map_err(failed)?;
        Ok(Self {
            raw: content.len(),
            gzip: gzip(&content).map_err(failed)?,
            brotli: brotli(&content).map_err(failed)?,
        })
    }

    fn add(&mut self, other: &Self) {
        self.raw += other.raw;
        self.gzip += other.gzip;
        self.brotli += other.brotli;
    }

    fn write_into(&self, row: &mut Value) {
        row["raw_bytes"] = self.raw.into();
        row["gzip_bytes"] = self.gzip.into();
        row["brotli_bytes"] = self.brotli.into();
    }
}

fn gzip(content: &[u8]) -> std::io::Result<usize> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}

fn brotli(content: &[u8]) -> std::io::Result<usize> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_LOG_WINDOW,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut packed, &parameters)
}

#[cfg(test)]
mod tests {
    use super::{brotli, gzip};

    #[test]
    fn repeated_text_is_much_smaller_packed_and_brotli_beats_gzip() {
        let text = "weixin://wxpay/bizpayurl?pr=".repeat(200);
        let (gzip_bytes, brotli_bytes) = (
            gzip(text.as_bytes()).unwrap(),
            brotli(text.as_bytes()).unwrap(),
        );
        assert!(gzip_bytes < text.len() / 20, "{gzip_bytes}");
        assert!(brotli_bytes < gzip_bytes, "{brotli_bytes} {gzip_bytes}");
        assert!(brotli_bytes > 0);
    }
}
