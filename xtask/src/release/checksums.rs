//! `SHA256SUMS` of a folder, in the form that `sha256sum --check` reads.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::failure::Failure;

const FILE: &str = "SHA256SUMS";

/// Writes the file over all others of the folder.
pub(super) fn write(folder: &Path) -> Result<(), Failure> {
    let mut sums = String::new();
    for (name, file) in files(folder)? {
        let content = fs::read(&file).map_err(Failure::file(&file))?;
        let _ = writeln!(sums, "{}  {name}", hex(&content));
    }
    let file = folder.join(FILE);
    fs::write(&file, sums).map_err(Failure::file(&file))
}

/// A line for each file: its size in bytes and its name.
pub(super) fn sizes(folder: &Path) -> Result<String, Failure> {
    let mut table = format!("{}\n", folder.display());
    for (name, file) in files(folder)? {
        let size = fs::metadata(&file).map_err(Failure::file(&file))?.len();
        let _ = writeln!(table, "{size:>12}  {name}");
    }
    Ok(table)
}

fn hex(content: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(content) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Names and paths, sorted.
fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(Failure::file(folder))? {
        let entry = entry.map_err(Failure::file(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name != FILE {
            files.push((name, entry.path()));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::hex;

    #[test]
    fn a_sum_is_the_published_one() {
        // FIPS 180-4, the example of one block.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(b"abc"), expected);
    }
}
