//! Migrations: forward only, each in one transaction, recorded with the digest of its text. The table
//! of records is the one that sqlx's migrator makes, so that both can read a database of the other.

use std::time::Instant;

use aws_lc_rs::digest::{SHA384, digest};

use crate::{Error, Readers, Writer, query, query_as};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
);";

/// One change of the tables.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its number: migrations are applied in the order of their numbers.
    pub version: i64,
    /// What it is for, in a few words.
    pub description: &'static str,
    /// Its statements.
    pub statements: &'static str,
}

/// A migration that a database records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub version: i64,
    /// The SHA-384 digest of its statements.
    pub checksum: Vec<u8>,
}

crate::row! { Applied { version, checksum } }

impl Migration {
    /// The SHA-384 digest of the statements.
    pub fn checksum(&self) -> Vec<u8> {
        digest(&SHA384, self.statements.as_bytes())
            .as_ref()
            .to_vec()
    }
}

impl Readers {
    /// The applied migrations in the order of their numbers; none in a database that has no records.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn migrations(&self) -> Result<Vec<Applied>, Error> {
        let has_records = query("SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations'");
        if !has_records.exists(self).await? {
            return Ok(Vec::new());
        }
        let records = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
        query_as(records).fetch_all(self).await
    }
}

impl Writer {
    /// Applies the migrations that are not recorded, in order; each is durable before the next.
    ///
    /// # Errors
    ///
    /// The number of the migration that failed, and why. The ones before it stay applied.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<(), (i64, Error)> {
        let first = migrations.first().map_or(0, |migration| migration.version);
        self.execute_batch(TABLE)
            .await
            .map_err(|error| (first, error))?;
        for migration in migrations {
            self.apply(migration)
                .await
                .map_err(|error| (migration.version, error))?;
        }
        Ok(())
    }

    async fn apply(&self, migration: &Migration) -> Result<(), Error> {
        let mut write = self.begin().await?;
        // Read in the transaction: another program may have applied it a moment ago.
        let is_applied = query("SELECT 1 FROM _sqlx_migrations WHERE version = ?")
            .bind(migration.version)
            .exists(&mut write)
            .await?;
        if is_applied {
            return Ok(());
        }
        let begun = Instant::now();
        write.execute_batch(migration.statements)?;
        let took_ns = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
        query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (?, ?, 1, ?, ?)",
        )
        .bind(migration.version)
        .bind(migration.description)
        .bind(migration.checksum())
        .bind(took_ns)
        .execute(&mut write)
        .await?;
        write.commit().await
    }
}
