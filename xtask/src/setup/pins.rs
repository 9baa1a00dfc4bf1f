//! Folder names that depend on the files with the pinned versions, so that other pins get another folder.

use std::fs;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

/// 16 hexadecimal digits that depend on every byte of these files.
pub(super) fn digest(files: &[PathBuf]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(fs::read(file).unwrap_or_default());
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut beginning = [0; 8];
    beginning.copy_from_slice(&whole[..8]);
    format!("{:016x}", u64::from_be_bytes(beginning))
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::digest;
    use crate::repository;

    #[test]
    fn other_pins_have_another_name() {
        let [toml, lock] = ["Cargo.toml", "Cargo.lock"].map(|name| repository::root().join(name));
        let names = [
            digest(from_ref(&toml)),
            digest(from_ref(&lock)),
            digest(&[toml, lock]),
        ];
        assert!(names[0] != names[1] && names[1] != names[2], "{names:?}");
        assert_eq!(names[0].len(), 16);
    }
}
