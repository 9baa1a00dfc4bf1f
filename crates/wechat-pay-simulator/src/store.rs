//! The store of the ledger: one SQLite file of documents. It does not read their content.
//!
//! The file holds private keys of rotated certificates and buyers' openids: only its owner can read
//! it (mode 0600).

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::ledger::document::StoredDocument;

/// Why the state cannot be read or saved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// The file cannot be made.
    #[error("the state's file cannot be created: {0}")]
    File(#[from] std::io::Error),
    /// An error of the database.
    #[error("the state's database: {0}")]
    Database(#[from] sqlx::Error),
    /// A document cannot be read by this version.
    #[error("the state cannot be read; remove the file to start with an empty state: {0}")]
    Document(String),
    /// The file is of another version of the simulator.
    #[error("the state is of version {0}, and this simulator reads version {VERSION}")]
    Version(i64),
}

const VERSION: i64 = 1;

/// A handle of the file. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store(SqlitePool);

impl Store {
    /// Opens or creates the file, and reads all of it.
    pub(crate) async fn open(path: &Path) -> Result<(Self, Vec<StoredDocument>), StateError> {
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A killed process loses nothing; a power failure may lose the last writes.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await?;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&pool)
            .await?;
        match version {
            0 => {
                sqlx::query(
                    "CREATE TABLE IF NOT EXISTS documents (
                        kind TEXT NOT NULL,
                        name TEXT NOT NULL,
                        json TEXT NOT NULL,
                        PRIMARY KEY (kind, name)
                    ) WITHOUT ROWID",
                )
                .execute(&pool)
                .await?;
                sqlx::query("PRAGMA user_version = 1")
                    .execute(&pool)
                    .await?;
            }
            VERSION => {}
            other => return Err(StateError::Version(other)),
        }
        let rows: Vec<(String, String, String)> =
            sqlx::query_as("SELECT kind, name, json FROM documents ORDER BY kind, name")
                .fetch_all(&pool)
                .await?;
        let kept = rows
            .into_iter()
            .map(|(kind, name, json)| StoredDocument { kind, name, json })
            .collect();
        Ok((Self(pool), kept))
    }

    /// Saves documents, all or none.
    pub(crate) async fn save(&self, documents: &[StoredDocument]) -> Result<(), StateError> {
        let mut writing = self.0.begin().await?;
        for document in documents {
            sqlx::query(
                "INSERT INTO documents (kind, name, json) VALUES (?, ?, ?)
                 ON CONFLICT (kind, name) DO UPDATE SET json = excluded.json",
            )
            .bind(&document.kind)
            .bind(&document.name)
            .bind(&document.json)
            .execute(&mut *writing)
            .await?;
        }
        writing.commit().await?;
        Ok(())
    }
}

#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)
}
