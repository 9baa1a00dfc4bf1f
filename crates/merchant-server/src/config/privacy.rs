//! Who may read the files that hold secrets: their owner, and nobody else.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::ConfigError;

/// Group and others.
const OTHERS: u32 = 0o077;

/// Refuses a file that anybody but its owner may read or write. A file that is not there is left
/// to whoever reads it.
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
