//! File modes: a file with secrets may be read by its owner only.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{ConfigError, folder_of};

/// The permission bits of group and others.
const OTHERS: u32 = 0o077;
const GROUP: u32 = 0o070;
const EVERYBODY: u32 = 0o007;
/// The search bits of a folder: without them its files cannot be reached.
const GROUP_SEARCHES: u32 = 0o010;
const EVERYBODY_SEARCHES: u32 = 0o001;

/// Refuses a file that users other than its owner may read or write. A missing file is reported by
/// the code that reads it.
pub(super) fn check_private(field: &'static str, path: &Path) -> Result<(), ConfigError> {
    let Ok(metadata) = std::fs::metadata(path) else {
        return Ok(());
    };
    let mode = metadata.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    Err(ConfigError::refused(
        field,
        format!(
            "{} has mode {:03o}, but a file with secrets must be its owner's alone: chmod 600",
            path.display(),
            mode & 0o777
        ),
    ))
}

/// The mode of a file that other users can read or write. A file in a folder that other users
/// cannot enter is private. `None` for a file that is private or missing.
pub(super) fn mode_if_exposed(path: &Path) -> Option<u32> {
    let mode = |path: &Path| Some(std::fs::metadata(path).ok()?.permissions().mode());
    let file = mode(path)?;
    let folder = mode(folder_of(path))?;
    let reached_by = |searches: u32, rights: u32| {
        if folder & searches == 0 {
            0
        } else {
            file & rights
        }
    };
    let exposed = reached_by(GROUP_SEARCHES, GROUP) | reached_by(EVERYBODY_SEARCHES, EVERYBODY);
    (exposed != 0).then_some(file & 0o777)
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};

    use super::*;

    #[test]
    fn a_file_is_exposed_by_its_own_mode_and_its_folders() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ledger.sqlite3");
        assert_eq!(mode_if_exposed(&file), None, "not there");
        std::fs::write(&file, "").expect("a file");
        for (folder_mode, file_mode, exposed) in [
            (0o755, 0o600, None),
            (0o755, 0o644, Some(0o644)),
            (0o755, 0o640, Some(0o640)),
            (0o755, 0o660, Some(0o660)),
            (0o755, 0o602, Some(0o602)),
            (0o711, 0o604, Some(0o604)),
            (0o750, 0o640, Some(0o640)),
            // Users who may read the file cannot enter its folder.
            (0o750, 0o604, None),
            (0o700, 0o666, None),
        ] {
            set_permissions(&file, Permissions::from_mode(file_mode)).expect("a mode");
            set_permissions(folder.path(), Permissions::from_mode(folder_mode)).expect("a mode");
            assert_eq!(
                mode_if_exposed(&file),
                exposed,
                "{folder_mode:o} {file_mode:o}"
            );
        }
    }
}
