//! The database of the ledger.

use std::fmt;
use std::path::{Path, PathBuf};

use ledger_database::Server;

use super::{ConfigError, privacy};

/// A database that this version can work with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file on this machine.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server, which several of these programs may share.
    Postgres {
        /// The server. Its password is not shown.
        server: Server,
        /// The folder for files that are too large for memory: that of the configuration.
        folder: PathBuf,
    },
}

impl Database {
    /// Checks the path of a file, relative to `folder`, or the address of a PostgreSQL server. A
    /// refused address is not repeated, because it may hold a password.
    pub(super) fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let refused = |rule: &str| Err(ConfigError::refused("database", rule));
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let folder = folder.to_owned();
            return match Server::parse(text) {
                Ok(server) => Ok(Self::Postgres { server, folder }),
                Err(rule) => refused(rule),
            };
        }
        if text.contains("://") || text.starts_with("sqlite:") {
            return refused(
                "must be the path of a file for SQLite, or begin with postgres://: orders are kept in no other database",
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
    /// Warnings for people about database files that other users can read or write, because the
    /// files hold openids and tokens. A warning does not stop the start, because that would lose
    /// payments. A new file is created private.
    pub fn warnings(&self) -> Vec<String> {
        let Self::Sqlite(file) = self else {
            return Vec::new();
        };
        // The write-ahead log beside it holds the newest rows.
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
            Self::Postgres { server, .. } => server.fmt(f),
        }
    }
}
