//! Migrations: forward only, each in one transaction, recorded with the digest of its text. The table
//! of records is the one that sqlx's migrator makes, so that both can read a database of the other.

use std::time::Instant;

use aws_lc_rs::digest::{SHA384, digest};
use const_format::formatcp;

use crate::engine::Engine;
use crate::{Error, Readers, Write, Writer, query, query_as, query_scalar};

/// The table of records, and the name of the lock under which programs migrate one after another.
const RECORDS: &str = "_sqlx_migrations";

/// `BYTEA` is what PostgreSQL calls a blob.
const TABLE: [&str; 2] = [
    formatcp!("{TABLE_UP_TO_BYTES} BLOB NOT NULL, execution_time BIGINT NOT NULL);"),
    formatcp!("{TABLE_UP_TO_BYTES} BYTEA NOT NULL, execution_time BIGINT NOT NULL);"),
];
const TABLE_UP_TO_BYTES: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum";

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
        if !self.tables().await?.iter().any(|name| name == RECORDS) {
            return Ok(Vec::new());
        }
        let records = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";
        query_as(records).fetch_all(self).await
    }

    /// Whether the database has tables and no records of migrations: then it is not ours.
    ///
    /// # Errors
    ///
    /// If the database cannot be read.
    pub async fn is_foreign(&self) -> Result<bool, Error> {
        let tables = self.tables().await?;
        Ok(!tables.is_empty() && !tables.iter().any(|name| name == RECORDS))
    }

    /// The names of the tables: of PostgreSQL's, those of the schema where new tables are made.
    async fn tables(&self) -> Result<Vec<String>, Error> {
        let names = match self.0 {
            Engine::Sqlite(_) => {
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            }
            Engine::Postgres(_) => {
                "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()"
            }
        };
        query_scalar(names).fetch_all(self).await
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
        self.make_records().await.map_err(|error| (first, error))?;
        for migration in migrations {
            self.apply(migration)
                .await
                .map_err(|error| (migration.version, error))?;
        }
        Ok(())
    }

    async fn make_records(&self) -> Result<(), Error> {
        let mut write = self.begin_read_committed().await?;
        write.make_records().await?;
        write.commit().await
    }

    async fn apply(&self, migration: &Migration) -> Result<(), Error> {
        let mut write = self.begin_read_committed().await?;
        write.apply(migration).await?;
        write.commit().await
    }
}

impl Write {
    /// Applies the migrations that are not recorded, in order, as a part of this transaction, which
    /// must see what others have committed ([`Writer::begin_read_committed`]).
    ///
    /// # Errors
    ///
    /// The number of the migration that failed, and why.
    pub async fn migrate(&mut self, migrations: &[Migration]) -> Result<(), (i64, Error)> {
        let first = migrations.first().map_or(0, |migration| migration.version);
        self.make_records().await.map_err(|error| (first, error))?;
        for migration in migrations {
            self.apply(migration)
                .await
                .map_err(|error| (migration.version, error))?;
        }
        Ok(())
    }

    async fn make_records(&mut self) -> Result<(), Error> {
        let [of_sqlite, of_postgres] = TABLE;
        let table = if self.is_of_sqlite() {
            of_sqlite
        } else {
            of_postgres
        };
        self.lock(RECORDS).await?;
        self.execute_batch(table).await
    }

    async fn apply(&mut self, migration: &Migration) -> Result<(), Error> {
        self.lock(RECORDS).await?;
        // Read in the transaction: another program may have applied it a moment ago.
        let is_applied = query("SELECT 1 FROM _sqlx_migrations WHERE version = ?")
            .bind(migration.version)
            .exists(&mut *self)
            .await?;
        if is_applied {
            return Ok(());
        }
        let begun = Instant::now();
        self.execute_batch(migration.statements).await?;
        let took_ns = i64::try_from(begun.elapsed().as_nanos()).unwrap_or(i64::MAX);
        query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (?, ?, TRUE, ?, ?)",
        )
        .bind(migration.version)
        .bind(migration.description)
        .bind(migration.checksum())
        .bind(took_ns)
        .execute(&mut *self)
        .await
        .map(drop)
    }
}
