//! Moves a ledger from a file of SQLite into a PostgreSQL database: whole or not at all, in one
//! transaction, which also makes the tables. The file is only read.
//!
//! No other program may work on either side meanwhile. The tables and their columns are those of
//! PostgreSQL's catalogue, so a migration adds nothing here. Before the commit, both sides are compared:
//! the number of rows, the sums in fen, and a digest of every byte of every row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use ledger_database::{
    CopyLine, Error, Readers, Server, Snapshot, Write, Writer, query, query_as, query_scalar, row,
};

use super::LedgerError;
use super::handle::{check_version, wait_for};
use super::instances::IN_USE;
use super::migrations;

/// How many rows are read, and then written, at once.
const ROWS: usize = 1_000;
/// The table with the one row that may be there before: whose the database is.
const OWNER: &str = "owner";
/// The table of the migrations, which each engine has its own of.
const RECORDS: &str = "_sqlx_migrations";

/// What was moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// The database that has it now, without a password.
    pub into: String,
    /// Each table, in the order in which it was written.
    pub tables: Vec<MovedTable>,
    /// The sums, which are the same on both sides.
    pub sums: Sums,
}

/// A table that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedTable {
    /// Its name.
    pub name: String,
    /// The number of its rows, which is the same on both sides.
    pub rows: u64,
}

/// The money in a ledger, in fen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Of all orders.
    pub ordered_fen: i64,
    /// Of the orders that are paid.
    pub paid_fen: i64,
    /// What the payers paid, by attempts.
    pub payers_fen: i64,
    /// What orders say was refunded.
    pub refunded_fen: i64,
    /// Of all refunds, in whatever state.
    pub refunds_fen: i64,
}

row! {
    Sums { ordered_fen, paid_fen, payers_fen, refunded_fen, refunds_fen }
}

const SUMS: &str = "SELECT
    (SELECT CAST(COALESCE(SUM(total_fen), 0) AS BIGINT) FROM orders) AS ordered_fen,
    (SELECT CAST(COALESCE(SUM(total_fen), 0) AS BIGINT) FROM orders WHERE state = 'paid')
        AS paid_fen,
    (SELECT CAST(COALESCE(SUM(payer_total_fen), 0) AS BIGINT) FROM attempts) AS payers_fen,
    (SELECT CAST(COALESCE(SUM(refunded_fen), 0) AS BIGINT) FROM orders) AS refunded_fen,
    (SELECT CAST(COALESCE(SUM(amount_fen), 0) AS BIGINT) FROM refunds) AS refunds_fen";

/// Why a ledger was not moved. Neither side was changed.
#[derive(Debug, thiserror::Error)]
pub enum NotMoved {
    /// The address of the target breaks a rule.
    #[error("the target's address {0}")]
    Address(&'static str),
    /// The file does not exist.
    #[error("there is no file {0}")]
    NoFile(String),
    /// The file is in use.
    #[error("{0} is in use: stop every merchant-server and every other program that has it open")]
    FileInUse(String),
    /// A program works on the target.
    #[error("a merchant-server works on the target: stop it, and start it again after the move")]
    TargetInUse,
    /// The target has rows.
    #[error("the target has rows in {0}: a ledger is moved into an empty database only")]
    NotEmpty(String),
    /// The target belongs to another merchant, or to another environment.
    #[error("the target belongs to another merchant or environment than the file")]
    OtherOwner,
    /// The file has a table that this version does not know.
    #[error("the file has the table {0}, which this version does not know")]
    ForeignTable(String),
    /// Both sides differ after the copy.
    #[error("after the copy, {what} differs: {here} in the file, {there} in the target")]
    Differs {
        /// What differs.
        what: String,
        /// In the file.
        here: String,
        /// In the target.
        there: String,
    },
    /// One of the databases failed, or is not of this version.
    #[error("the {side}: {reason}")]
    Ledger {
        /// Which one.
        side: &'static str,
        /// Its reason.
        reason: LedgerError,
    },
}

const FILE: &str = "file";
const TARGET: &str = "target";

fn of_file(error: impl Into<LedgerError>) -> NotMoved {
    let reason = error.into();
    NotMoved::Ledger { side: FILE, reason }
}

fn of_target(error: impl Into<LedgerError>) -> NotMoved {
    NotMoved::Ledger {
        side: TARGET,
        reason: error.into(),
    }
}

/// Moves the ledger in the file into the database at this address. The file must be of this version,
/// and the database empty.
pub async fn move_ledger(file: &Path, to: &str) -> Result<Moved, NotMoved> {
    let to = &Server::parse(to).map_err(NotMoved::Address)?;
    let shown = file.display().to_string();
    if !file.is_file() {
        return Err(NotMoved::NoFile(shown));
    }
    let source = Readers::alone(file);
    let checked = check_version(&source, migrations::SQLITE).await;
    checked.map_err(|error| match error {
        LedgerError::Database(Error::Busy) => NotMoved::FileInUse(shown.clone()),
        error => of_file(error),
    })?;
    let mut from = source.snapshot().await.map_err(|error| match error {
        Error::Busy => NotMoved::FileInUse(shown),
        error => of_file(error),
    })?;
    let readers = Readers::of_server(to);
    wait_for(&readers).await.map_err(of_target)?;
    if readers.is_foreign().await.map_err(of_target)? {
        return Err(of_target(LedgerError::Foreign));
    }
    let begun = Writer::of_server(to).begin_read_committed().await;
    let mut write = begun.map_err(of_target)?;
    if !write.try_lock(IN_USE).await.map_err(of_target)? {
        return Err(NotMoved::TargetInUse);
    }
    // A database of a newer version, or of another build, is refused and not migrated.
    match check_version(&readers, migrations::POSTGRES).await {
        Ok(()) => {}
        Err(LedgerError::Older { .. }) => {
            let migrated = write.migrate(migrations::POSTGRES).await;
            migrated.map_err(|(version, reason)| {
                of_target(LedgerError::Migration { version, reason })
            })?;
        }
        Err(error) => return Err(of_target(error)),
    }
    let mut moved = fill(&mut from, &mut write).await?;
    moved.into = to.to_string();
    write.commit().await.map_err(of_target)?;
    Ok(moved)
}

/// A table of the target.
#[derive(Debug)]
struct Table {
    name: String,
    /// Its columns, parted by commas.
    columns: String,
    /// The column that counts by itself, if there is one.
    counter: Option<String>,
}

async fn fill(from: &mut Snapshot, write: &mut Write) -> Result<Moved, NotMoved> {
    let tables = tables(write).await.map_err(of_target)?;
    refuse_foreign(from, &tables).await?;
    for table in &tables {
        make_room(from, write, table).await?;
    }
    let mut moved = Moved::default();
    for table in tables {
        let here = copy(from, write, &table).await?;
        let mut there = Content::default();
        let each = &mut |line: &[u8]| there.add(line);
        let read = write.copy_out(&table.name, &table.columns, each).await;
        read.map_err(of_target)?;
        agree(&table.name, &here, &there)?;
        if let Some(counter) = &table.counter {
            go_on_counting(write, &table.name, counter)
                .await
                .map_err(of_target)?;
        }
        moved.tables.push(MovedTable {
            name: table.name,
            rows: here.rows,
        });
    }
    moved.sums = query_as(SUMS)
        .fetch_one(&mut *from)
        .await
        .map_err(of_file)?;
    let there: Sums = query_as(SUMS)
        .fetch_one(&mut *write)
        .await
        .map_err(of_target)?;
    agree("the sum in fen", &moved.sums, &there)?;
    Ok(moved)
}

/// What a table holds: its rows in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Content {
    rows: u64,
    /// The sum of the digests of all rows.
    digest: u128,
}

impl Content {
    fn add(&mut self, line: &[u8]) {
        let mut half = [0; 16];
        half.copy_from_slice(&digest(&SHA256, line).as_ref()[..16]);
        self.rows += 1;
        self.digest = self.digest.wrapping_add(u128::from_be_bytes(half));
    }
}

fn agree<T: PartialEq + fmt::Debug>(what: &str, here: &T, there: &T) -> Result<(), NotMoved> {
    if here == there {
        return Ok(());
    }
    Err(NotMoved::Differs {
        what: what.to_owned(),
        here: format!("{here:?}"),
        there: format!("{there:?}"),
    })
}

/// Copies a table in pages.
async fn copy(from: &mut Snapshot, write: &mut Write, table: &Table) -> Result<Content, NotMoved> {
    let Table { name, columns, .. } = table;
    let page = text(format!(
        "SELECT {columns} FROM {name} WHERE rowid > ? ORDER BY rowid LIMIT {ROWS}"
    ));
    let last = text(format!(
        "SELECT MAX(rowid) FROM
             (SELECT rowid FROM {name} WHERE rowid > ? ORDER BY rowid LIMIT {ROWS})"
    ));
    let (mut after, mut content) = (i64::MIN, Content::default());
    loop {
        let next: Option<i64> = query_scalar(last)
            .bind(after)
            .fetch_one(&mut *from)
            .await
            .map_err(of_file)?;
        let Some(next) = next else {
            return Ok(content);
        };
        let lines: Vec<CopyLine> = query_as(page)
            .bind(after)
            .fetch_all(&mut *from)
            .await
            .map_err(of_file)?;
        for line in &lines {
            content.add(line.as_bytes());
        }
        let written = write.copy_in(name, columns, &lines).await;
        written.map_err(of_target)?;
        after = next;
    }
}

/// The target must be empty, but for its owner, who must be the file's. That row comes with the others.
async fn make_room(from: &mut Snapshot, write: &mut Write, table: &Table) -> Result<(), NotMoved> {
    if table.name == OWNER {
        let owner = "SELECT mchid, environment FROM owner";
        let there: Vec<(String, String)> = query_as(owner)
            .fetch_all(&mut *write)
            .await
            .map_err(of_target)?;
        let here: Vec<(String, String)> = query_as(owner)
            .fetch_all(&mut *from)
            .await
            .map_err(of_file)?;
        if !there.is_empty() && here != there {
            return Err(NotMoved::OtherOwner);
        }
        let removed = query("DELETE FROM owner").execute(&mut *write).await;
        removed.map_err(of_target)?;
        return Ok(());
    }
    let any = text(format!("SELECT 1 FROM {} LIMIT 1", table.name));
    if query(any).exists(&mut *write).await.map_err(of_target)? {
        return Err(NotMoved::NotEmpty(table.name.clone()));
    }
    Ok(())
}

/// The next row gets the number after the highest one.
async fn go_on_counting(write: &mut Write, table: &str, column: &str) -> Result<(), Error> {
    let statement = text(format!(
        "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), COALESCE(MAX({column}), 1),
                       MAX({column}) IS NOT NULL) FROM {table}"
    ));
    query(statement).exists(&mut *write).await.map(drop)
}

async fn refuse_foreign(from: &mut Snapshot, known: &[Table]) -> Result<(), NotMoved> {
    let names = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let names: Vec<String> = query_scalar(names)
        .fetch_all(&mut *from)
        .await
        .map_err(of_file)?;
    let foreign = names
        .into_iter()
        .find(|name| name != RECORDS && known.iter().all(|table| table.name != *name));
    foreign.map_or(Ok(()), |name| Err(NotMoved::ForeignTable(name)))
}

/// A column in PostgreSQL's catalogue.
struct CatalogueColumn {
    table_name: String,
    column_name: String,
    is_counter: bool,
}

row! {
    CatalogueColumn { table_name, column_name, is_counter }
}

/// The tables of the ledger, each after those that it refers to.
async fn tables(write: &mut Write) -> Result<Vec<Table>, Error> {
    let columns: Vec<CatalogueColumn> = query_as(
        "SELECT CAST(table_name AS TEXT) AS table_name, CAST(column_name AS TEXT) AS column_name,
                is_identity = 'YES' AS is_counter
         FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name <> ?
         ORDER BY table_name, ordinal_position",
    )
    .bind(RECORDS)
    .fetch_all(&mut *write)
    .await?;
    let mut tables: Vec<Table> = Vec::new();
    for column in columns {
        let CatalogueColumn {
            table_name,
            column_name,
            is_counter,
        } = column;
        let counter = is_counter.then(|| column_name.clone());
        match tables.last_mut().filter(|table| table.name == table_name) {
            Some(table) => {
                table.columns.push_str(", ");
                table.columns.push_str(&column_name);
                table.counter = table.counter.take().or(counter);
            }
            None => tables.push(Table {
                name: table_name,
                columns: column_name,
                counter,
            }),
        }
    }
    let references: Vec<(String, String)> = query_as(
        "SELECT CAST(child.relname AS TEXT) AS child, CAST(parent.relname AS TEXT) AS parent
         FROM pg_constraint
         JOIN pg_class AS child ON child.oid = conrelid
         JOIN pg_class AS parent ON parent.oid = confrelid
         JOIN pg_namespace ON pg_namespace.oid = child.relnamespace
         WHERE contype = 'f' AND nspname = current_schema()",
    )
    .fetch_all(&mut *write)
    .await?;
    Ok(parents_first(tables, &references))
}

fn parents_first(mut left: Vec<Table>, references: &[(String, String)]) -> Vec<Table> {
    let mut parents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (child, parent) in references.iter().filter(|(child, parent)| child != parent) {
        parents.entry(child).or_default().insert(parent);
    }
    let mut sorted: Vec<Table> = Vec::new();
    while !left.is_empty() {
        let is_ready = |table: &Table| {
            let parents = parents.get(table.name.as_str());
            parents.is_none_or(|parents| {
                parents.iter().all(|parent| {
                    let mut sorted = sorted.iter();
                    sorted.any(|table| table.name == *parent)
                })
            })
        };
        // Tables that refer to each other in a circle cannot be filled; the database says so.
        let place = left.iter().position(is_ready).unwrap_or(0);
        sorted.push(left.remove(place));
    }
    sorted
}

/// A statement with names of the catalogue. It is kept forever: there is one for each table, and the
/// program ends after the move.
fn text(statement: String) -> &'static str {
    statement.leak()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_filled_after_those_that_it_refers_to() {
        let table = |name: &str| Table {
            name: name.to_owned(),
            columns: String::new(),
            counter: None,
        };
        let tables = ["a_child", "grandchild", "parent"].map(table).into();
        let pair = |child: &str, parent: &str| (child.to_owned(), parent.to_owned());
        let references = [
            pair("a_child", "parent"),
            pair("grandchild", "a_child"),
            pair("parent", "parent"),
        ];
        let sorted = parents_first(tables, &references);
        let names: Vec<_> = sorted.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(names, ["parent", "a_child", "grandchild"]);
    }

    #[test]
    fn the_digest_of_a_table_does_not_depend_on_the_order_of_its_rows() {
        let content = |lines: &[&str]| {
            let mut content = Content::default();
            for line in lines {
                content.add(line.as_bytes());
            }
            content
        };
        assert_eq!(content(&["a", "b"]), content(&["b", "a"]));
        assert_ne!(content(&["a", "b"]), content(&["a", "c"]));
        assert_ne!(content(&["a"]), content(&["a", "a"]));
    }
}
