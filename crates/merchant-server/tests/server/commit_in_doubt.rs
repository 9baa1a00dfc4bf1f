//! A connection to PostgreSQL that is lost in the middle of a commit. The ledger's database learns how
//! the transaction ended before it says anything. With a file of SQLite there is no connection to lose.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ledger_database::{Error, Readers, Server, Writer, query, query_scalar};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::cluster;

/// What the network does to the next commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loses {
    /// The server never gets it.
    TheCommit,
    /// The server commits, and its answer gets lost.
    TheAnswer,
}

/// A network between a program and the server, which breaks one connection at its commit.
struct Network {
    port: u16,
    is_armed: Arc<AtomicBool>,
}

impl Network {
    async fn open(socket: PathBuf, loses: Loses) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_armed = Arc::<AtomicBool>::default();
        let armed = is_armed.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&socket).await.unwrap();
                tokio::spawn(carry(client, server, armed.clone(), loses));
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
) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let is_commit = asked[..length].windows(7).any(|bytes| bytes == b"COMMIT\0");
                let breaks = is_commit && is_armed.swap(false, Ordering::SeqCst);
                if breaks && loses == Loses::TheCommit {
                    return;
                }
                server.write_all(&asked[..length]).await.unwrap();
                if breaks {
                    let committed = server.read(&mut answered).await.unwrap();
                    assert!(committed > 0);
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
    let (rest, socket) = address.split_once("?host=").unwrap();
    let socket = PathBuf::from(socket).join(".s.PGSQL.5432");
    let network = Network::open(socket, loses).await;
    let host = format!("@127.0.0.1:{}", network.port);
    let server = Server::parse(&rest.replace("@localhost", &host)).unwrap();
    let writer = Writer::of_server(&server);
    let table = "CREATE TABLE words (word TEXT PRIMARY KEY)";
    writer.execute_batch(table).await.unwrap();

    let mut write = writer.begin().await.unwrap();
    let insert = query("INSERT INTO words VALUES (?)").bind("a");
    insert.execute(&mut write).await.unwrap();
    network.is_armed.store(true, Ordering::SeqCst);
    let outcome = write.commit().await;
    assert!(!network.is_armed.load(Ordering::SeqCst), "it was lost");
    let count = query_scalar::<i64>("SELECT COUNT(*) FROM words");
    let count = count.fetch_one(&Readers::of_server(&server)).await.unwrap();
    (outcome, count)
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
