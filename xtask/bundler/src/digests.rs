//! Digests of finished files: a short one for a file's name, and the one by which a browser checks
//! that a file is the published one (`integrity`).

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256, Sha384};

/// The first eight hexadecimal digits of the SHA-256.
pub(crate) fn fingerprint(file: &Path) -> Result<String, String> {
    let digest = Sha256::digest(read(file)?);
    let beginning = [digest[0], digest[1], digest[2], digest[3]];
    Ok(format!("{:08x}", u32::from_be_bytes(beginning)))
}

/// A JSON object: for each file, by its name, `sha384-…` as in the attribute `integrity`.
pub(crate) fn integrity(files: &[PathBuf]) -> Result<String, String> {
    let mut values = Map::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let value = format!("sha384-{}", STANDARD.encode(Sha384::digest(read(file)?)));
        values.insert(name.into_owned(), Value::String(value));
    }
    serde_json::to_string_pretty(&values).map_err(|error| error.to_string())
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{fingerprint, integrity};

    /// The digests of `abc` in FIPS 180-4's examples.
    #[test]
    fn digests_are_those_of_the_standard() {
        let file = std::env::temp_dir().join(format!("bundler-digests-{}", std::process::id()));
        fs::write(&file, "abc").unwrap();
        let (short, long) = (fingerprint(&file), integrity(std::slice::from_ref(&file)));
        fs::remove_file(&file).unwrap();
        assert_eq!(short.unwrap(), "ba7816bf");
        let long = long.unwrap();
        assert!(
            long.contains(
                "\"sha384-ywB1P0WjXou1oD1pmsZQBycsMqsO3tFjGotgWkP/W+2AhgcroefMI1i67KE0yCWn\""
            ),
            "{long}"
        );
    }
}
