//! Running: the listener, the loops for due work, new configurations, and an end that drops
//! nobody.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::extract::Request;
use futures_util::future::join_all;
use log_output::QuietLog;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::{ServiceExt as _, service_fn};

use crate::config::{Config, ConfigError};
use crate::connections::{raise_open_files, serve_connections};
use crate::due_work::UnderWay;
use crate::ledger::{Lane, LedgerError};
use crate::payments::MerchantServer;
use crate::routes::app;
use crate::surroundings::surroundings;
use crate::wechat::Refreshed;

/// How long the loop sleeps at most: work that another instance or a route scheduled is found
/// within this time.
const LONGEST_SLEEP_MS: i64 = 1_000;
/// How long it sleeps at least where nothing ends: what is due and could not be begun is mostly held by
/// another process.
const SHORTEST_SLEEP_MS: i64 = 50;
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

/// The server as it is configured now, with its routes.
#[derive(Clone)]
struct Running {
    server: MerchantServer,
    routes: Router,
}

impl Running {
    fn new(server: MerchantServer) -> Self {
        Self {
            routes: app(server.clone()),
            server,
        }
    }
}

/// Serves until `end` ends, then lets calls that are being answered finish. `next_config` waits
/// until the configuration is to be read again, and reads it: a bad one is refused, and the one
/// that is in force stays.
pub async fn serve(
    config: Config,
    next_config: impl AsyncFnMut() -> Result<Config, ConfigError>,
    end: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let address = config.listen;
    let listen_error = |source| ServeError::Listen { address, source };
    let surroundings = surroundings(&config)?;
    let is_live = config.gateway.is_live();
    let public_base_url = config.public_base_url.clone();
    raise_open_files();
    let server = MerchantServer::open(config, surroundings).await?;
    for warning in server.config.database.warnings() {
        tracing::warn!(event = "database.exposed", "{warning}");
    }
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let listening_on = listener.local_addr().map_err(listen_error)?;
    tracing::info!(%listening_on, %public_base_url, live = is_live, "merchant server is up");

    let running = watch::Sender::new(Running::new(server.clone()));
    let is_proxy = |address| {
        let server = &running.borrow().server;
        let proxies = &server.config.trusted_proxies;
        proxies.iter().any(|proxies| proxies.contains(&address))
    };
    let mut serving = pin!(serve_connections(
        listener,
        current_routes(&running),
        &server,
        is_proxy
    ));
    tokio::select! {
        // It ends with the server.
        () = &mut serving => {}
        _ = join_all(Lane::ALL.map(|lane| work(&running, lane))) => {}
        () = keep_trust(&running) => {}
        () = keep_configured(&running, next_config) => {}
        () = end => {}
    }
    tracing::info!("merchant server ends; calls that are being answered may finish");
    server.begin_shutdown();
    tokio::select! {
        () = serving => {}
        () = server.clock.sleep_ms(DRAIN_MS) => {
            tracing::warn!("some calls did not finish in time and are cut off");
        }
    }
    Ok(())
}

/// Each call goes to the routes of the configuration that is in force when it comes.
fn current_routes(running: &watch::Sender<Running>) -> Router {
    let running = running.subscribe();
    Router::new().fallback_service(service_fn(move |request: Request| {
        let routes = running.borrow().routes.clone();
        routes.oneshot(request)
    }))
}

/// Takes new configurations, for ever.
async fn keep_configured(
    running: &watch::Sender<Running>,
    mut next_config: impl AsyncFnMut() -> Result<Config, ConfigError>,
) {
    loop {
        let next = next_config().await;
        let server = running.borrow().server.clone();
        let refusal = match next {
            Ok(config) => match server.config.needs_restart(&config) {
                fields if fields.is_empty() => {
                    running.send_replace(Running::new(server.reconfigured(config)));
                    tracing::info!(
                        event = "configuration.taken",
                        "a new configuration is in force"
                    );
                    continue;
                }
                fields => format!("{} cannot change without a restart", fields.join(", ")),
            },
            Err(error) => error.to_string(),
        };
        tracing::error!(
            event = "configuration.refused",
            refusal,
            "the new configuration is refused; the old one stays in force"
        );
    }
}

/// Does a lane's due work for ever. A failure of the ledger is logged and tried again a little later:
/// calls may be served meanwhile.
async fn work(running: &watch::Sender<Running>, lane: Lane) {
    let mut under_way = UnderWay::new(lane);
    let failures = QuietLog::new();
    loop {
        let server = running.borrow().server.clone();
        let clock = &*server.clock;
        let wait_ms = match under_way.begin(&server).await {
            Ok(()) if under_way.is_full() => LONGEST_SLEEP_MS,
            Ok(()) => {
                let next_ms = server.ledger.next_due_ms(lane).await.ok().flatten();
                let wait_ms = next_ms.map_or(LONGEST_SLEEP_MS, |next_ms| next_ms - clock.now_ms());
                wait_ms.clamp(SHORTEST_SLEEP_MS, LONGEST_SLEEP_MS)
            }
            Err(error) => {
                if let Some(left_out) = failures.admit(clock.monotonic_ms()) {
                    tracing::error!(%error, left_out, ?lane, "due work cannot be taken");
                }
                LONGEST_SLEEP_MS
            }
        };
        tokio::select! {
            true = under_way.one_ended(&server) => {}
            // What is due meanwhile does not wait for what is under way.
            () = clock.sleep_ms(wait_ms) => {}
        }
    }
}

/// Fetches WeChat's platform certificates at the start and on schedule, for ever. Where WeChat
/// cannot be reached, what is trusted already goes on being trusted.
async fn keep_trust(running: &watch::Sender<Running>) {
    loop {
        let server = running.borrow().server.clone();
        for warning in server
            .config
            .certificate_warnings(server.clock.now_ms() / 1000)
        {
            tracing::warn!(event = "merchant_certificate.ends", "{warning}");
        }
        match server.refresh_certificates_if_due().await {
            Ok(Some(Refreshed::PublicKeyOnly)) => {
                tracing::debug!("WeChat has no platform certificates for this merchant");
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(event = "certificates.unavailable", %error, "WeChat's platform certificates could not be fetched");
            }
        }
        server.clock.sleep_ms(server.certificates_wait_ms()).await;
    }
}
