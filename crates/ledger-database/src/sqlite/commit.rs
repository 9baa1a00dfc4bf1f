//! The writers that share one commit.

use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use super::write::Writer;
use crate::Error;

type Outcome = Result<(), Error>;

/// The writers of the open transaction that have finished, and wait for its commit.
#[derive(Debug, Default)]
pub(super) struct Group {
    is_open: bool,
    waiting: Vec<oneshot::Sender<Outcome>>,
}

impl Group {
    /// Whether SQLite's transaction is open.
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether no writer waits for the commit.
    pub(super) const fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// SQLite's transaction was opened.
    pub(super) const fn open(&mut self) {
        self.is_open = true;
    }

    /// Adds a writer that has finished, and gives what will say how its commit went. The first writer
    /// of a group puts the commit into the queue.
    pub(super) fn join(&mut self, writer: &Writer) -> impl Future<Output = Outcome> + use<> {
        if self.waiting.is_empty() {
            tokio::spawn(commit(writer.clone()));
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.push(sender);
        async move { receiver.await.unwrap_or(Err(Error::Unconfirmed)) }
    }

    /// SQLite's transaction has ended: tells all its writers how.
    pub(super) fn end(&mut self, outcome: &Outcome) {
        self.is_open = false;
        for writer in self.waiting.drain(..) {
            // A writer that was dropped needs no outcome.
            let _ = writer.send(outcome.clone());
        }
    }
}

/// Waits for the writers that came before, and commits what all of them wrote.
async fn commit(writer: Writer) {
    let mut writing = writer.0.lock_owned().await;
    if writing.group.is_empty() {
        // Its transaction was lost meanwhile, and the writers know.
        return;
    }
    let committed = spawn_blocking(move || {
        let outcome = writing.step("COMMIT");
        if outcome.is_err() {
            // After some errors SQLite has rolled back by itself.
            let _ = writing.batch("ROLLBACK");
        }
        writing.group.end(&outcome);
    });
    // If the runtime ends, the writers' senders are dropped with the connection.
    let _ = committed.await;
}
