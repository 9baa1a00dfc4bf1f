//! A copy of the database as it is at one moment, made while the server works on it.
//!
//! The copy gets its name only once it is whole, checked and on the disk: a backup that was
//! interrupted leaves a `.part` file and nothing that looks like a backup.

use std::fs::File;
use std::path::{Path, PathBuf};

use ledger_database::{Readers, query, query_scalar};

use super::handle::{check_version, make_private};
use super::migrations;
use super::{Ledger, LedgerError};
use crate::config::folder_of;

impl Ledger {
    /// Copies the database into a new file that only its owner can read; returns the number of
    /// orders in it. An existing file is not touched.
    pub(crate) async fn back_up(&self, to: &Path) -> Result<u64, LedgerError> {
        if !self.is_a_file() {
            return Err(LedgerError::Backup(
                "the database is PostgreSQL's: copy it with pg_dump, which also works beside a running server".to_owned(),
            ));
        }
        if to.exists() {
            return Err(LedgerError::Backup(format!(
                "{} exists already",
                to.display()
            )));
        }
        let part = part_of(to);
        match std::fs::remove_file(&part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(LedgerError::file(to)(error));
            }
            _ => {}
        }
        make_private(&part).map_err(LedgerError::file(to))?;
        let name = part
            .to_str()
            .ok_or_else(|| LedgerError::Backup("its path is not UTF-8".to_owned()))?;
        // One read transaction: the copy is what was committed at one moment.
        query("VACUUM INTO ?")
            .bind(name)
            .execute(self.readers.scan())
            .await?;
        let orders = check_copy(&part).await?;
        put_in_place(&part, to).map_err(LedgerError::file(to))?;
        Ok(orders)
    }
}

/// Checks the copy as if it were restored: integrity, foreign keys, migrations.
async fn check_copy(file: &Path) -> Result<u64, LedgerError> {
    let copy = Readers::of_copy(file);
    let found: String = query_scalar("PRAGMA integrity_check")
        .fetch_one(copy.scan())
        .await?;
    if found != "ok" {
        return Err(LedgerError::Backup(found));
    }
    let strays: Vec<String> = query_scalar("PRAGMA foreign_key_check")
        .fetch_all(copy.scan())
        .await?;
    if !strays.is_empty() {
        let count = strays.len();
        return Err(LedgerError::Backup(format!(
            "{count} rows refer to missing rows"
        )));
    }
    check_version(&copy, migrations::SQLITE).await?;
    let orders = query_scalar("SELECT COUNT(*) FROM orders")
        .fetch_one(copy.scan())
        .await?;
    Ok(orders)
}

/// Syncs the file, renames it, then syncs the folder.
fn put_in_place(part: &Path, to: &Path) -> std::io::Result<()> {
    File::open(part)?.sync_all()?;
    std::fs::rename(part, to)?;
    File::open(folder_of(to))?.sync_all()
}

fn part_of(to: &Path) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    name.into()
}
