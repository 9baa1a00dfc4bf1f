//! Folders of files.

use std::path::Path;

/// The folder of a file; `.` where its path is a name alone.
pub(crate) fn folder_of(file: &Path) -> &Path {
    file.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
