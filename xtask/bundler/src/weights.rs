//! What a buyer downloads: each file raw, as gzip at level 9, and as brotli at quality 11, and the
//! sizes of all three in bytes.
//!
//! `cargo xtask size` decides whether the sizes are allowed.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

const BROTLI_QUALITY: i32 = 11;
/// The window of the `brotli` command, 4 MiB: larger than any file of ours.
const BROTLI_LOG_WINDOW: i32 = 22;

/// `{"files":[{"name","raw_bytes","gzip_bytes","brotli_bytes"}],"total":{…},"others":[…]}`, files in
/// the order given, `name` being the last part of each path; `total` is without the others. Writes
/// `FILE.gz` and `FILE.br` beside each file, for servers that send them as they are.
pub(crate) fn manifest(files: &[PathBuf], others: &[PathBuf]) -> Result<String, String> {
    let mut total = Weight::default();
    let files = rows(files, |weight| total.add(weight))?;
    let others = rows(others, |_| ())?;
    let mut sum = json!({});
    total.write_into(&mut sum);
    serde_json::to_string_pretty(&json!({ "files": files, "total": sum, "others": others }))
        .map_err(|error| error.to_string())
}

fn rows(files: &[PathBuf], mut each: impl FnMut(&Weight)) -> Result<Vec<Value>, String> {
    let mut rows = Vec::new();
    for file in files {
        let weight = Weight::of(file)?;
        each(&weight);
        let mut row = json!({ "name": file.file_name().map(|name| name.to_string_lossy()) });
        weight.write_into(&mut row);
        rows.push(row);
    }
    Ok(rows)
}

/// The sizes of one file or of several, all in bytes.
#[derive(Default)]
struct Weight {
    raw: usize,
    gzip: usize,
    brotli: usize,
}

impl Weight {
    /// Writes both compressed forms of a file, and weighs all three.
    fn of(file: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", file.display());
        let content = fs::read(file).map_err(failed)?;
        let gzip = gzip(&content).map_err(failed)?;
        fs::write(beside(file, ".gz"), &gzip).map_err(failed)?;
        let brotli = brotli(&content).map_err(failed)?;
        fs::write(beside(file, ".br"), &brotli).map_err(failed)?;
        Ok(Self {
            raw: content.len(),
            gzip: gzip.len(),
            brotli: brotli.len(),
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

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn gzip(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content)?;
    encoder.finish()
}

fn brotli(content: &[u8]) -> std::io::Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_LOG_WINDOW,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut packed, &parameters)?;
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use super::{brotli, gzip};

    #[test]
    fn repeated_text_compresses_well_and_brotli_better_than_gzip() {
        let text = "weixin://wxpay/bizpayurl?pr=".repeat(200);
        let (gzip_bytes, brotli_bytes) = (
            gzip(text.as_bytes()).unwrap().len(),
            brotli(text.as_bytes()).unwrap().len(),
        );
        assert!(gzip_bytes < text.len() / 20, "{gzip_bytes}");
        assert!(brotli_bytes < gzip_bytes, "{brotli_bytes} {gzip_bytes}");
        assert!(brotli_bytes > 0);
    }
}
