//! Words between programs on one database (LISTEN and NOTIFY). A word may be lost, so nothing may
//! depend on it.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPoolOptions};
use tokio::time::sleep;

use super::failure;
use super::server::Server;
use crate::{Error, query};

/// How long a connection may take to be made.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// The pause before a lost connection is made again.
const PAUSE: Duration = Duration::from_secs(1);

/// Hears the words of all programs on a channel, on a connection of its own. While it is connected, it
/// shares the lock of a name with other listeners: a transaction that gets that lock for itself
/// ([`crate::Write::try_lock`]) knows that no program listens, and keeps others from beginning.
#[derive(Debug)]
pub struct Listener {
    server: Server,
    channel: &'static str,
    lock: &'static str,
    /// `None` until it is connected.
    connected: Option<PgListener>,
}

/// What a listener hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A word.
    Word(String),
    /// The connection was made, for the first time or again: words before that may be lost.
    Gap,
}

impl Server {
    /// A listener of a channel that shares the lock of this name. It connects when it first listens,
    /// or before.
    pub fn listener(&self, channel: &'static str, lock: &'static str) -> Listener {
        Listener {
            server: self.clone(),
            channel,
            lock,
            connected: None,
        }
    }

    /// Says a word to all listeners of a channel, this program's included. At most 7,999 bytes.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn say(&self, channel: &'static str, word: &str) -> Result<(), Error> {
        let say = query("SELECT 1 FROM pg_notify(?, ?)")
            .bind(channel)
            .bind(word);
        let readers = crate::Readers::of_server(self);
        say.exists(&readers).await.map(drop)
    }
}

impl Listener {
    /// Connects now.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if a transaction holds the lock for itself; see [`Error`].
    pub async fn connect(&mut self) -> Result<(), Error> {
        self.connected = Some(self.connection().await?);
        Ok(())
    }

    /// Waits for the next word, and for the connection where it was lost. Dropping this call loses
    /// nothing.
    pub async fn hear(&mut self) -> Heard {
        loop {
            let Some(listener) = &mut self.connected else {
                match self.connect().await {
                    Ok(()) => return Heard::Gap,
                    Err(_) => sleep(PAUSE).await,
                }
                continue;
            };
            match listener.try_recv().await {
                Ok(Some(heard)) => return Heard::Word(heard.payload().to_owned()),
                Ok(None) | Err(_) => self.connected = None,
            }
        }
    }

    async fn connection(&self) -> Result<PgListener, Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(CONNECT_MAX)
            .max_lifetime(None)
            .idle_timeout(None);
        let pool = pool.connect_lazy_with((*self.server.options).clone());
        let connecting = PgListener::connect_with(&pool);
        let mut listener = connecting.await.map_err(failure::of_connecting)?;
        listener.eager_reconnect(false);
        listener.listen(self.channel).await.map_err(failure::of)?;
        // A lock of the session: it ends with the connection.
        let lock = "SELECT pg_try_advisory_lock_shared(hashtextextended($1, 0))";
        let lock = sqlx::query_scalar::<_, bool>(lock).bind(self.lock);
        let is_shared = lock.fetch_one(&mut listener).await;
        if is_shared.map_err(failure::of)? {
            Ok(listener)
        } else {
            Err(Error::Busy)
        }
    }
}
