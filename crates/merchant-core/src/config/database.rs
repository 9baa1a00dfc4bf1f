//! Where the ledger is kept.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{ConfigError, privacy};

/// A database, as far as there is one that this version can work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file of this machine's.
    Sqlite(PathBuf),
}

impl Database {
    /// Reads the path of a file, which counts from `folder`. An address of a server is refused,
    /// and not repeated: its password stands in it.
    pub(super) fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let refused = |rule: &str| Err(ConfigError::refused("database", rule));
        if text.contains("://") || text.starts_with("sqlite:") {
            return refused(
                "must be the path of a file, not an address: this version keeps its orders in SQLite, and in no other database",
            );
        }
        if text.is_empty() {
            return refused("must be the path of a file");
        }
        if text.starts_with(":memory:") || text.starts_with("file:") {
            return refused(
                "must be the path of a file: orders must outlive the process, and SQLite's own names for databases are not read here",
            );
        }
        let path = folder.join(text);
        if text.ends_with('/') || path.is_dir() {
            return refused("must be the path of a file, and is that of a folder");
        }
        Ok(Self::Sqlite(path))
    }
}

impl Database {
    /// The files that others can read or write, as sentences for people: buyers' openids and the
    /// tokens of orders are in them. No reason to refuse to start, which would lose payments; a new
    /// file is made private.
    pub fn warnings(&self) -> Vec<String> {
        let Self::Sqlite(file) = self;
        // The log of writes beside it holds the newest rows.
        let files = ["", "-wal", "-shm"].map(|ending| {
            let mut name = file.clone().into_os_string();
            name.push(ending);
            PathBuf::from(name)
        });
        let exposed = files.iter().filter_map(|file| {
            let mode = privacy::mode_if_exposed(file)?;
            Some(format!(
                "database: {} has mode {mode:03o}, so others can read the orders, tokens and openids in it: chmod 600",
                file.display()
            ))
        });
        exposed.collect()
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => file.display().fmt(f),
        }
    }
}
