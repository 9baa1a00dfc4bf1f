//! One merchant's keys for all tests of a run: making them takes longer than a payment. No file of
//! them remains after the run.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use wechat_pay_simulator::{Keyring, Random};

/// Every file of a simulator's folder, by its path in it.
static FILES: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let now = jiff::Timestamp::now();
    Keyring::load_or_create(folder.path(), "http://127.0.0.1", now, &Random::system()).unwrap();
    let mut files = Vec::new();
    collect(folder.path(), Path::new(""), &mut files);
    files
});

/// Writes the keys into a folder and returns them, for a simulator at `address`.
pub fn keyring_in(folder: &Path, address: &str) -> Keyring {
    for (path, bytes) in FILES.iter() {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, bytes).unwrap();
        // The merchant server refuses a key that other users can read.
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o600)).unwrap();
    }
    Keyring::load_or_create(folder, address, jiff::Timestamp::now(), &Random::system()).unwrap()
}

fn collect(folder: &Path, path: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder.join(path)).unwrap() {
        let path = path.join(entry.unwrap().file_name());
        let file = folder.join(&path);
        if file.is_dir() {
            collect(folder, &path, files);
        } else {
            files.push((path, std::fs::read(file).unwrap()));
        }
    }
}
