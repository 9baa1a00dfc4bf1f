//! The writers that share one commit. The commit itself is not made here.

use tokio::sync::oneshot;

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

    /// Adds a writer that has finished; returns how its commit went, once it has ended.
    pub(super) fn join(&mut self) -> impl Future<Output = Outcome> + use<> {
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
