//! The connections to one server: made when they are needed, kept while they work.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::{connection, failure};
use crate::Error;

/// How many connections one program uses at most, beside that of its listener. A server allows a
/// hundred to all programs unless it is told otherwise.
const CONNECTIONS_MAX: usize = 20;
/// How long a caller waits for a free connection, and for a new one to be made.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How often something that may be repeated is tried again after a lost connection.
pub(super) const TRIES: u32 = 3;

/// The time of the server's last crash, or of its first start, by its own clock. After a crash the server
/// gives numbers of transactions again that it had given before, and forgets its statistics; it says when
/// it forgot them. A clean restart keeps both. A replica that became the primary has a time of its own.
const LIFE: &str = "SELECT CAST(extract(epoch FROM stats_reset) AS TEXT) FROM pg_stat_bgwriter";

/// From one crash of the server to the next: in one life, a number belongs to one transaction.
#[derive(Clone, Debug)]
pub(super) struct Life(Option<Arc<str>>);

pub(super) struct Pool {
    options: PgConnectOptions,
    idle: Mutex<Vec<(PgConnection, Life)>>,
    /// Since the database could not be written: connections of that time are used once.
    is_distrusted: AtomicBool,
    places: Arc<Semaphore>,
}

/// A connection of a pool. It is closed when this is dropped, unless it is given back.
pub(super) struct Held {
    pub(super) connection: PgConnection,
    /// In which the connection was made.
    pub(super) life: Life,
    pool: Arc<Pool>,
    _place: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn of(options: PgConnectOptions) -> Self {
        Self {
            options,
            idle: Mutex::default(),
            is_distrusted: AtomicBool::new(false),
            places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        }
    }

    /// A connection that no one else uses.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Held, Error> {
        let place = timeout(WAIT_MAX, self.places.clone().acquire_owned());
        let place = place.await.map_err(|_| Error::Busy)?;
        let place = place.map_err(|_| Error::Ended)?;
        let idle = self.idle().pop();
        let (connection, life) = match idle {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        Ok(Held {
            connection,
            life,
            pool: self.clone(),
            _place: place,
        })
    }

    /// A connection on which these statements have run, and the text that they find. They are tried
    /// again on another connection if the one was lost: after the server has restarted, each kept
    /// connection is lost once.
    pub(super) async fn begin(
        self: &Arc<Self>,
        statements: &'static str,
    ) -> Result<(Held, Option<String>), Error> {
        let mut tries = 0;
        loop {
            let mut held = self.take().await?;
            match connection::text_of(&mut held.connection, statements).await {
                Err(Error::Lost) if tries < TRIES => {
                    self.forget_idle();
                    tries += 1;
                }
                begun => return Ok((held, begun?)),
            }
        }
    }

    /// Closes the idle connections: one of them was lost, so the server has probably restarted.
    pub(super) fn forget_idle(&self) {
        self.idle().clear();
    }

    /// The database could not be written. A connection may keep its reason, such as a session that only
    /// reads, for longer than the database has it; so none is kept until a write has worked.
    pub(super) fn distrust(&self) {
        self.is_distrusted.store(true, Ordering::Relaxed);
        self.forget_idle();
    }

    /// A write has worked.
    pub(super) fn trust(&self) {
        self.is_distrusted.store(false, Ordering::Relaxed);
    }

    async fn connect(&self) -> Result<(PgConnection, Life), Error> {
        let connected = timeout(WAIT_MAX, self.options.connect()).await;
        let connected = connected.map_err(|_| Error::Unreachable("no answer in time".into()))?;
        let mut connection = connected.map_err(failure::of_connecting)?;
        let life = match connection::text_of(&mut connection, LIFE).await {
            Ok(life) => life,
            Err(lost @ Error::Lost) => return Err(lost),
            // A server of another kind does not know the table.
            Err(_) => None,
        };
        Ok((connection, Life(life.map(Into::into))))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(PgConnection, Life)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// For the next caller.
    pub(super) fn give_back(self) {
        if self.pool.is_distrusted.load(Ordering::Relaxed) {
            return;
        }
        self.pool.idle().push((self.connection, self.life));
    }
}

impl Life {
    /// Whether the server has not crashed in between. A server that does not say may have.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.is_some() && self.0 == other.0
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("idle", &self.idle().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}
