//! Running the server: the listener, the loops for due work, reloading the configuration, and a
//! graceful shutdown.

use std::future::Future;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::extract::Request;
use merchant_core::config::{Config, ConfigError};
use merchant_core::due_work::run_for_ever;
use merchant_core::ledger::LedgerError;
use merchant_core::surroundings::surroundings;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::{ServiceExt as _, service_fn};

use crate::connections::{raise_open_files, serve_connections};
use crate::routes::app;
use crate::server::MerchantServer;

/// How long calls may continue during a shutdown: long enough for a call to WeChat and its answer.
const DRAIN_MS: i64 = 15_000;

/// Why the server could not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The HTTP client could not be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(#[from] reqwest::Error),
    /// The port is taken, or the listener broke.
    #[error("cannot listen on {address}: {source}{}", advice(.source.kind()))]
    Listen {
        /// The address of the configuration.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
}

/// What a person does about it.
const fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::AddrInUse => {
            "; another program listens there: end it, or choose another port in `listen`"
        }
        ErrorKind::PermissionDenied => {
            "; a port below 1024 needs a right of its own: choose another port in `listen`, and put a proxy before the server"
        }
        ErrorKind::AddrNotAvailable => {
            "; this machine has no such address: `listen` names one of its own, or 0.0.0.0 for all of them"
        }
        _ => "",
    }
}

/// The server with its present configuration, and its routes.
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

/// Serves until `end` completes, then lets calls in progress finish. `next_config` waits for a
/// reload and reads the configuration: an invalid one is refused, and the present one stays in
/// force.
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
    for warning in server.config().database.warnings() {
        tracing::warn!(event = "database.exposed", "{warning}");
    }
    if let Some(warning) = server.config().bundle.warning() {
        tracing::warn!(event = "bundle.absent", "{warning}");
    }
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let listening_on = listener.local_addr().map_err(listen_error)?;
    tracing::info!(%listening_on, %public_base_url, live = is_live, "merchant server is up");

    let running = watch::Sender::new(Running::new(server.clone()));
    let is_proxy = |address| {
        let server = &running.borrow().server;
        let proxies = &server.config().trusted_proxies;
        proxies.iter().any(|proxies| proxies.contains(&address))
    };
    let mut serving = pin!(serve_connections(
        listener,
        current_routes(&running),
        server.places(),
        server.merchants().first(),
        is_proxy
    ));
    tokio::select! {
        // This task ends with the server.
        () = &mut serving => {}
        () = Box::pin(run_for_ever(|| running.borrow().server.merchants().clone())) => {}
        () = keep_configured(&running, next_config) => {}
        () = end => {}
    }
    tracing::info!("merchant server ends; calls that are being answered may finish");
    server.begin_shutdown();
    tokio::select! {
        () = serving => {}
        () = server.clock().sleep_ms(DRAIN_MS) => {
            tracing::warn!("some calls did not finish in time and are cut off");
        }
    }
    Ok(())
}

/// Serves each call with the configuration that is current when the call arrives.
fn current_routes(running: &watch::Sender<Running>) -> Router {
    let running = running.subscribe();
    Router::new().fallback_service(service_fn(move |request: Request| {
        let routes = running.borrow().routes.clone();
        routes.oneshot(request)
    }))
}

/// Applies new configurations in a loop.
async fn keep_configured(
    running: &watch::Sender<Running>,
    mut next_config: impl AsyncFnMut() -> Result<Config, ConfigError>,
) {
    loop {
        let next = next_config().await;
        let server = running.borrow().server.clone();
        let refusal = match next {
            Ok(config) => match server.config().needs_restart(&config) {
                fields if fields.is_empty() => {
                    running.send_replace(Running::new(server.reconfigured(config)));
                    tracing::info!(
                        event = "configuration.taken",
                        "a new configuration is loaded"
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
            "the new configuration is refused; the old one stays"
        );
    }
}
