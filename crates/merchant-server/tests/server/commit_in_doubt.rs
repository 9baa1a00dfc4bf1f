//! A connection to PostgreSQL that is lost in the middle of a commit. The ledger's database learns how
//! the transaction ended before it says anything. With a file of SQLite there is no connection to lose.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ledger_database::{Error, Readers, Server, Write, Writer, query, query_scalar};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Handle;

use crate::cluster;

/// What the network does to the next commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loses {
    /// The server never gets it.
    TheCommit,
    /// The server commits, and its answer gets lost.
    TheAnswer,
}

/// What happens to the server when the connection breaks.
type Happening = Arc<dyn Fn() + Send + Sync>;

/// A network between a program and the server, which breaks one connection at its commit.
struct Network {
    port: u16,
    is_armed: Arc<AtomicBool>,
}

impl Network {
    async fn open(socket: PathBuf, loses: Loses, happens: Happening) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_armed = Arc::<AtomicBool>::default();
        let armed = is_armed.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                tokio::spawn(carry(client, server, armed.clone(), loses, happens.clone()));
            }
        });
        Self { port, is_armed }
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: UnixStream,
    is_armed: Arc<AtomicBool>,
    loses: Loses,
    happens: Happening,
) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let is_commit = asked[..length].windows(7).any(|bytes| bytes == b"COMMIT\0");
                let breaks = is_commit && is_armed.swap(false, Ordering::SeqCst);
                if breaks && loses == Loses::TheCommit {
                    happens();
                    return;
                }
                server.write_all(&asked[..length]).await.unwrap();
                if breaks {
                    let committed = server.read(&mut answered).await.unwrap();
                    assert!(committed > 0);
                    happens();
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn commit_while_the_network(loses: Loses) -> (Result<(), Error>, i64) {
    let folder = tempfile::tempdir().unwrap();
    let address = cluster::empty(folder.path()).await;
    commit_at(&address, loses, || {}).await
}

/// The network breaks the connection at the commit, then this happens to the server, and then the
/// program learns of it.
async fn commit_at(
    address: &str,
    loses: Loses,
    happens: impl Fn() + Send + Sync + 'static,
) -> (Result<(), Error>, i64) {
    let (rest, socket) = address.split_once("?host=").unwrap();
    let socket = PathBuf::from(socket).join(".s.PGSQL.5432");
    let network = Network::open(socket, loses, Arc::new(happens)).await;
    let host = format!("@127.0.0.1:{}", network.port);
    let server = Server::parse(&rest.replace("@localhost", &host)).unwrap();
    let writer = Writer::of_server(&server);
    let table = "CREATE TABLE words (word TEXT PRIMARY KEY)";
    writer.execute_batch(table).await.unwrap();

    let mut write = writer.begin().await.unwrap();
    add("a", &mut write).await;
    network.is_armed.store(true, Ordering::SeqCst);
    let outcome = write.commit().await;
    assert!(!network.is_armed.load(Ordering::SeqCst), "it was lost");
    let count = query_scalar::<i64>("SELECT COUNT(*) FROM words WHERE word = 'a'");
    let count = count.fetch_one(&Readers::of_server(&server)).await.unwrap();
    (outcome, count)
}

async fn add(word: &str, write: &mut Write) {
    let insert = query("INSERT INTO words VALUES (?)").bind(word);
    insert.execute(write).await.unwrap();
}

/// What another program commits after the crash, under the numbers that the server gives again.
async fn write_words_at(address: &str) {
    let writer = Writer::of_server(&Server::parse(address).unwrap());
    for word in ["b", "c", "d"] {
        let mut write = writer.begin().await.unwrap();
        add(word, &mut write).await;
        write.commit().await.unwrap();
    }
}

/// The server crashes at the commit, and before the program can ask about it, another program commits
/// three transactions.
async fn commit_while_the_server_crashes(loses: Loses) -> (Result<(), Error>, i64) {
    let server = cluster::Fragile::start().await;
    let address = server.address();
    let at = address.clone();
    let crash = move || {
        server.crash();
        tokio::task::block_in_place(|| Handle::current().block_on(write_words_at(&at)));
    };
    commit_at(&address, loses, crash).await
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_counts_as_committed() {
    if !cluster::is_used() {
        return;
    }
    let (outcome, rows) = commit_while_the_network(Loses::TheAnswer).await;
    assert_eq!(rows, 1);
    outcome.unwrap();
}

#[tokio::test]
async fn a_commit_that_did_not_arrive_has_changed_nothing_and_can_be_repeated() {
    if !cluster::is_used() {
        return;
    }
    let (outcome, rows) = commit_while_the_network(Loses::TheCommit).await;
    assert_eq!(rows, 0);
    assert!(outcome.unwrap_err().is_repeatable());
}

/// The server gives the number of the lost transaction to the next one, which commits.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_lost_in_a_crash_does_not_count_as_committed_because_another_got_its_number() {
    if !cluster::is_used() {
        return;
    }
    let (outcome, rows) = commit_while_the_server_crashes(Loses::TheCommit).await;
    assert_eq!(rows, 0);
    assert!(outcome.is_err(), "nothing was committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_before_a_crash_whose_answer_is_lost_is_not_repeated() {
    if !cluster::is_used() {
        return;
    }
    let (outcome, rows) = commit_while_the_server_crashes(Loses::TheAnswer).await;
    assert_eq!(rows, 1);
    assert!(!outcome.unwrap_err().is_repeatable());
}
