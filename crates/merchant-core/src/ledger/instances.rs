//! Several programs on one PostgreSQL database: each tells the others which orders changed, so that the
//! polls that they hold are answered at once, whichever received the notification, and what it has used
//! of the limits that they share.
//!
//! A change is announced after its commit, on no path that anybody waits for. A message may be lost, so all
//! held polls read their order again now and then. Only polls and limits depend on these messages.

use std::sync::Arc;
use std::time::Duration;

use ledger_database::{Error, Heard, Listener, Server};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};

use super::LedgerError;
use super::changes::{Changes, Told};
use super::spending::Spending;

const CHANNEL: &str = "wechat_pay_orders";
/// The lock that each program on the database shares, as long as it is connected. Who holds it alone
/// knows that no program works on the database.
pub(super) const IN_USE: &str = "wechat_pay_ledger_in_use";
/// How long a poll waits at most for a change whose word was lost.
const REREAD_EVERY: Duration = Duration::from_secs(10);
/// A word has less than 8,000 bytes, and an id has 20 at most.
const IDS_MAX: usize = 300;

/// The pause between two words about limits, which gathers many calls in one.
const SPENT_EVERY: Duration = Duration::from_millis(100);

/// The tasks that tell and hear. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Instances([JoinHandle<()>; 3]);

impl Instances {
    /// Says that this program works on the database, and begins to send and to receive. `told` has the
    /// changes of this program.
    pub(super) async fn connect(
        server: &Server,
        changes: &Changes,
        told: Told,
        spending: &Spending,
    ) -> Result<Arc<Self>, LedgerError> {
        let mut listener = server.listener(CHANNEL, IN_USE);
        listener.connect().await.map_err(|error| match error {
            Error::Busy => LedgerError::BeingMoved,
            error => error.into(),
        })?;
        Ok(Arc::new(Self([
            tokio::spawn(hear(listener, changes.clone(), spending.clone())),
            tokio::spawn(tell(server.clone(), told)),
            tokio::spawn(tell_spent(server.clone(), spending.clone())),
        ])))
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

async fn hear(mut listener: Listener, changes: Changes, spending: Spending) {
    let mut reread = interval(REREAD_EVERY);
    loop {
        tokio::select! {
            heard = listener.hear() => match heard {
                Heard::Word(word) if spending.hear(&word) => {}
                Heard::Word(ids) => {
                    for order_id in ids.split(',').filter_map(|id| id.parse().ok()) {
                        changes.wake(order_id);
                    }
                }
                Heard::Gap => changes.wake_all(),
            },
            _ = reread.tick() => changes.wake_all(),
        }
    }
}

async fn tell(server: Server, told: Told) {
    loop {
        for ids in told.next().await.chunks(IDS_MAX) {
            let words: Vec<_> = ids.iter().map(ToString::to_string).collect();
            if let Err(error) = server.say(CHANNEL, &words.join(",")).await {
                tracing::warn!(event = "ledger.not_told", %error, "other servers learn later that orders changed");
            }
        }
    }
}

async fn tell_spent(server: Server, spending: Spending) {
    loop {
        for word in spending.next_words().await {
            if let Err(error) = server.say(CHANNEL, &word).await {
                tracing::debug!(event = "ledger.not_told", %error, "other servers do not learn what was used of a limit");
            }
        }
        sleep(SPENT_EVERY).await;
    }
}
