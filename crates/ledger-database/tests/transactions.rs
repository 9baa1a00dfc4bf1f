//! Transactions on a file: what is durable, what is shared, and what a failure leaves.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::time::Duration;

use ledger_database::{Error, Readers, Writer, query, query_scalar};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::task::JoinSet;

const BUSY_LIMIT: Duration = Duration::from_millis(200);

/// A database with one table of unique words.
struct Database {
    writer: Writer,
    readers: Readers,
    file: PathBuf,
    _folder: TempDir,
}

impl Database {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("words.sqlite3");
        std::fs::write(&file, b"").unwrap();
        let writer = Writer::open(&file, BUSY_LIMIT).unwrap();
        let table = "CREATE TABLE words (word TEXT PRIMARY KEY) STRICT";
        writer.execute_batch(table).await.unwrap();
        Self {
            readers: Readers::of(&file),
            writer,
            file,
            _folder: folder,
        }
    }

    async fn words(&self) -> Vec<String> {
        let words = query_scalar("SELECT word FROM words ORDER BY word");
        words.fetch_all(&self.readers).await.unwrap()
    }

    /// A connection of another program.
    fn foreign(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.file).unwrap()
    }
}

async fn add(writer: &Writer, word: &str) -> Result<(), Error> {
    let insert = query("INSERT INTO words VALUES (?)").bind(word);
    writer.execute(insert).await.map(drop)
}

/// Tasks that each add a word, all of them waiting for their turn.
async fn queue_up(writer: &Writer, words: &[&'static str]) -> JoinSet<Result<(), Error>> {
    let mut tasks = JoinSet::new();
    for &word in words {
        let writer = writer.clone();
        tasks.spawn(async move { add(&writer, word).await });
        // On one thread, a task that was yielded to runs until it waits.
        tokio::task::yield_now().await;
    }
    tasks
}

#[tokio::test]
async fn a_change_is_visible_once_its_commit_has_returned() {
    let database = Database::open().await;
    let mut write = database.writer.begin().await.unwrap();
    let insert = query("INSERT INTO words VALUES ('a')");
    assert_eq!(insert.execute(&mut write).await.unwrap(), 1);
    assert_eq!(database.words().await, [""; 0]);
    write.commit().await.unwrap();
    assert_eq!(database.words().await, ["a"]);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_changes_nothing_and_leaves_no_lock() {
    let database = Database::open().await;
    let mut write = database.writer.begin().await.unwrap();
    let insert = query("INSERT INTO words VALUES ('a')");
    insert.execute(&mut write).await.unwrap();
    drop(write);
    let foreign = database.foreign();
    foreign.busy_timeout(Duration::ZERO).unwrap();
    foreign
        .execute("INSERT INTO words VALUES ('b')", [])
        .unwrap();
    assert_eq!(database.words().await, ["b"]);
}

#[tokio::test]
async fn writers_that_wait_share_the_commit_of_the_first() {
    let database = Database::open().await;
    let mut first = database.writer.begin().await.unwrap();
    let waiting = queue_up(&database.writer, &["b", "c", "d"]).await;
    query("INSERT INTO words VALUES ('a')")
        .execute(&mut first)
        .await
        .unwrap();
    first.commit().await.unwrap();
    assert_eq!(database.words().await, ["a", "b", "c", "d"]);
    for outcome in waiting.join_all().await {
        outcome.unwrap();
    }
}

#[tokio::test]
async fn a_writer_that_fails_harms_none_that_shares_its_commit() {
    let database = Database::open().await;
    let mut first = database.writer.begin().await.unwrap();
    let waiting = queue_up(&database.writer, &["b", "a", "c"]).await;
    query("INSERT INTO words VALUES ('a')")
        .execute(&mut first)
        .await
        .unwrap();
    first.commit().await.unwrap();
    let outcomes = waiting.join_all().await;
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_err()).count(),
        1
    );
    assert_eq!(database.words().await, ["a", "b", "c"]);
}

#[tokio::test]
async fn if_the_commit_fails_all_its_writers_learn_it_and_nothing_is_changed() {
    let database = Database::open().await;
    database
        .writer
        .execute_batch(
            "CREATE TABLE none (id INTEGER PRIMARY KEY);
             CREATE TABLE later (id INTEGER REFERENCES none DEFERRABLE INITIALLY DEFERRED);",
        )
        .await
        .unwrap();
    let mut first = database.writer.begin().await.unwrap();
    let waiting = queue_up(&database.writer, &["b", "c"]).await;
    query("INSERT INTO later VALUES (1)")
        .execute(&mut first)
        .await
        .unwrap();
    assert!(matches!(first.commit().await, Err(Error::Refused(_))));
    for outcome in waiting.join_all().await {
        assert!(matches!(outcome, Err(Error::Refused(_))));
    }
    assert_eq!(database.words().await, [""; 0]);
    add(&database.writer, "d").await.unwrap();
    assert_eq!(database.words().await, ["d"]);
}

#[tokio::test]
async fn a_full_disk_fails_every_writer_of_the_commit_and_the_next_one_may_succeed() {
    let database = Database::open().await;
    database
        .writer
        .execute_batch("PRAGMA max_page_count = 1")
        .await
        .unwrap();
    let mut first = database.writer.begin().await.unwrap();
    let waiting = queue_up(&database.writer, &["b"]).await;
    query("INSERT INTO words VALUES ('a')")
        .execute(&mut first)
        .await
        .unwrap();
    first.commit().await.unwrap();
    for outcome in waiting.join_all().await {
        outcome.unwrap();
    }
    let long: &'static str = "x".repeat(100_000).leak();
    let mut failing = database.writer.begin().await.unwrap();
    let insert = query("INSERT INTO words VALUES (?)").bind(long);
    assert!(insert.execute(&mut failing).await.is_err());
    let after = query("INSERT INTO words VALUES ('c')");
    let is_ended = matches!(after.execute(&mut failing).await, Err(Error::Ended));
    let is_refused = failing.commit().await.is_err();
    assert!(
        is_ended == is_refused,
        "a lost transaction takes no statement"
    );
    assert!(!database.words().await.contains(&long.to_owned()));
    add(&database.writer, "d").await.unwrap();
}

#[tokio::test]
async fn a_database_that_may_only_be_read_is_unavailable_and_can_be_read() {
    let database = Database::open().await;
    let only_reads = "PRAGMA query_only = ON";
    database.writer.execute_batch(only_reads).await.unwrap();
    let refused = add(&database.writer, "a").await.unwrap_err();
    assert!(matches!(refused, Error::Unusable(_)), "{refused}");
    assert!(refused.is_unavailable());
    assert_eq!(database.words().await, [""; 0]);
}

#[tokio::test]
async fn a_file_is_read_alone_only_while_no_other_program_has_it_open() {
    let database = Database::open().await;
    add(&database.writer, "a").await.unwrap();
    let count = || query_scalar::<i64>("SELECT COUNT(*) FROM words");
    let alone = Readers::alone(&database.file);
    let refused = count().fetch_one(&alone).await.unwrap_err();
    assert!(matches!(refused, Error::Busy), "{refused}");
    let Database {
        writer,
        readers,
        file,
        _folder,
    } = database;
    drop((writer, readers));
    let mut snapshot = alone.snapshot().await.unwrap();
    assert_eq!(count().fetch_one(&mut snapshot).await.unwrap(), 1);
    // Nobody can begin meanwhile, whether to write or to read.
    let reader = rusqlite::Connection::open(&file).unwrap();
    let read = reader.query_row("SELECT COUNT(*) FROM words", [], |row| row.get::<_, i64>(0));
    assert!(read.is_err());
    drop((snapshot, alone));
    let read = reader.query_row("SELECT COUNT(*) FROM words", [], |row| row.get::<_, i64>(0));
    assert_eq!(read.unwrap(), 1);
}

#[tokio::test]
async fn a_writer_waits_for_another_programs_lock_but_not_for_ever() {
    let database = Database::open().await;
    let foreign = database.foreign();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(add(&database.writer, "a").await.unwrap_err().is_busy());
    let (added, ()) = tokio::join!(add(&database.writer, "a"), async {
        tokio::time::sleep(BUSY_LIMIT / 10).await;
        foreign.execute_batch("ROLLBACK").unwrap();
    });
    added.unwrap();
    assert_eq!(database.words().await, ["a"]);
}

#[tokio::test]
async fn a_snapshot_sees_no_later_commit() {
    let database = Database::open().await;
    let mut snapshot = database.readers.snapshot().await.unwrap();
    let count = || query_scalar::<i64>("SELECT count(*) FROM words");
    assert_eq!(count().fetch_one(&mut snapshot).await.unwrap(), 0);
    add(&database.writer, "a").await.unwrap();
    assert_eq!(count().fetch_one(&mut snapshot).await.unwrap(), 0);
    drop(snapshot);
    assert_eq!(count().fetch_one(&database.readers).await.unwrap(), 1);
    assert_eq!(count().fetch_one(database.readers.scan()).await.unwrap(), 1);
}

#[tokio::test]
async fn an_error_names_the_constraint_and_no_value() {
    let database = Database::open().await;
    add(&database.writer, "secret").await.unwrap();
    let refused = add(&database.writer, "secret")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("words.word") && !refused.contains("secret"),
        "{refused}"
    );
    let numbers = query_scalar::<i64>("SELECT word FROM words");
    let unreadable = numbers.fetch_one(&database.readers).await.unwrap_err();
    assert_eq!(
        unreadable.to_string(),
        "column word: must be a whole number"
    );
}

/// What one writer does.
#[derive(Clone, Debug)]
enum Step {
    /// Adds a word and commits.
    Add(u8),
    /// Adds a word and drops the transaction.
    Drop(u8),
    /// Adds the same word twice, and commits although the second was refused.
    AddTwice(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let word = 0..20_u8;
    prop_oneof![
        3 => word.clone().prop_map(Step::Add),
        1 => word.clone().prop_map(Step::Drop),
        1 => word.prop_map(Step::AddTwice),
    ]
}

async fn take(writer: &Writer, step: Step) -> Option<String> {
    let (Step::Add(word) | Step::Drop(word) | Step::AddTwice(word)) = step;
    let word = format!("{word:02}");
    let insert = || query("INSERT INTO words VALUES (?)").bind(word.as_str());
    let mut write = writer.begin().await.unwrap();
    let is_new = insert().execute(&mut write).await.is_ok();
    tokio::task::yield_now().await;
    match step {
        Step::Drop(_) => return None,
        Step::AddTwice(_) => assert!(insert().execute(&mut write).await.is_err()),
        Step::Add(_) => {}
    }
    write.commit().await.unwrap();
    is_new.then_some(word)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_writers_do_the_rows_are_exactly_those_that_were_committed(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let database = Database::open().await;
            let mut tasks = JoinSet::new();
            for step in steps {
                let writer = database.writer.clone();
                tasks.spawn(async move { take(&writer, step).await });
            }
            let mut added: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
            added.sort();
            assert_eq!(database.words().await, added);
        });
    }
}

#[tokio::test]
async fn a_task_that_only_reads_lets_other_tasks_run() {
    let database = Database::open().await;
    let other = tokio::spawn(async {});
    while !other.is_finished() {
        database.words().await;
    }
}
