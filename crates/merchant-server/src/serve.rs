//! Running: the listener, the loop for due work, and an end that drops nobody.

use std::future::{Future, IntoFuture as _};
use std::net::SocketAddr;
use std::pin::pin;

use tokio::net::TcpListener;

use crate::config::Config;
use crate::due_work::Lane;
use crate::ledger::LedgerError;
use crate::operations::surroundings;
use crate::routes::app;
use crate::server::MerchantServer;

/// How long the loop sleeps at most: work that another instance or a route scheduled is found
/// within this time.
const LONGEST_SLEEP_MS: i64 = 1_000;
/// How long calls may go on after the end was told: a call to WeChat and its answer.
const DRAIN_MS: i64 = 15_000;

/// Why the server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    /// The port is taken, or the listener broke.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// Serves until `end` ends, then lets calls that are being answered finish.
pub async fn serve(config: Config, end: impl Future<Output = ()>) -> Result<(), ServeError> {
    let address = config.listen;
    let listen_error = |source| ServeError::Listen { address, source };
    let surroundings = surroundings(&config)?;
    let is_live = config.gateway.is_live();
    let public_base_url = config.public_base_url.clone();
    let server = MerchantServer::open(config, surroundings).await?;
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let listening_on = listener.local_addr().map_err(listen_error)?;
    tracing::info!(%listening_on, %public_base_url, live = is_live, "merchant server is up");

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let service = app(server.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let mut serving = pin!(
        axum::serve(listener, service)
            .with_graceful_shutdown(async move {
                // Told to stop, or nobody is left to tell: both are the end.
                let _ = stopped.await;
            })
            .into_future()
    );
    tokio::select! {
        outcome = &mut serving => return outcome.map_err(listen_error),
        () = work(&server, Lane::Wechat) => {}
        () = work(&server, Lane::Backend) => {}
        () = end => {}
    }
    tracing::info!("merchant server ends; calls that are being answered may finish");
    server.begin_shutdown();
    drop(stop);
    let drained_ms = server.clock.now_ms() + DRAIN_MS;
    tokio::select! {
        outcome = serving => outcome.map_err(listen_error),
        () = server.clock.sleep_until(drained_ms) => {
            tracing::warn!("some calls did not finish in time and are cut off");
            Ok(())
        }
    }
}

/// Does due work for ever. A failure of the ledger is logged and tried again: calls may be served
/// meanwhile.
async fn work(server: &MerchantServer, lane: Lane) {
    loop {
        if let Err(error) = server.run_lane(lane).await {
            tracing::error!(%error, "due work cannot be read");
        }
        let now_ms = server.clock.now_ms();
        let latest_ms = now_ms + LONGEST_SLEEP_MS;
        let next_ms = server.next_due_ms().await.ok().flatten();
        let until_ms = next_ms.map_or(latest_ms, |next_ms| next_ms.clamp(now_ms + 50, latest_ms));
        server.clock.sleep_until(until_ms).await;
    }
}
