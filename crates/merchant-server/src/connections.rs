//! Connections: limited in number, with time limits for requests, and closed by the server where
//! needed.
//!
//! A client that sends half a request, or none, holds a descriptor. Without bounds a few thousand of
//! them stop the server for everybody, WeChat's notifications and `/healthz` included. So:
//!
//! - a request's head, and its body, must arrive within `request_timeout_ms`;
//! - if all places are taken, the oldest connection that waits for its client gives its place to
//!   the new connection; a connection that is being answered never gives up its place;
//! - no poll is held in the last tenth of the places (`routes/checkouts.rs`), and pages do not get
//!   the last twentieth at all (`middleware/rate_limit.rs`), so that a place is left for
//!   notifications, the backend and health checks;
//! - a client that does not read its answer gives up its place, too, after all connections that
//!   wait;
//! - a poll that waits keeps its socket and little else (`parking.rs`);
//! - one address has its own limit, except for trusted proxies;
//! - when the server ends, incomplete requests are cut off at once, and calls that are being
//!   answered may finish.
//!
//! Time comes from the server's clock, except hyper's own timer for heads. The content of a request
//! is never read here.

mod body;
mod open_files;
mod parking;
mod places;
mod progress;
mod stream;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use body::{RequestBody, ResponseBody};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use log_output::QuietLog;
use merchant_core::Payments;
use merchant_core::surroundings::Clock;
pub(crate) use open_files::raise as raise_open_files;
use parking::{ParkedRequest, Slot};
pub(crate) use parking::{Parking, Resumed};
use places::Place;
pub(crate) use places::{ConnectionCounts, Places};
use progress::{Answering, Progress};
use stream::Stream;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::extract::network_of;

/// How long a half-received request may still take when the server ends.
const LAST_REQUESTS_MS: i64 = 250;
/// The wait after the system refused a connection, because it has no descriptor or no memory left.
const ACCEPT_RETRY_MS: i64 = 100;
/// The longest head of a request, in bytes; a longer one is answered with 431.
const BUFFER_MAX_BYTES: usize = 32 * 1024;
/// How long a trusted proxy may keep a connection without a request. Proxies usually close such a
/// connection themselves after a minute. This time is longer, so that no proxy sends a request into
/// a closed connection. A proxy hands over whole requests.
const PROXY_IDLE_MS: u64 = 75_000;

/// Accepts and serves connections until the server ends, then until the last of them has ended.
/// `is_proxy` says whether an address is a proxy, from which many buyers come.
pub(crate) async fn serve_connections(
    listener: TcpListener,
    routes: Router,
    places: &Arc<Places>,
    payments: &Payments,
    is_proxy: impl Fn(IpAddr) -> bool,
) {
    let failures = QuietLog::new();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let address = peer.ip().to_canonical();
                    let network = (!is_proxy(address)).then(|| network_of(address));
                    if let Some(place) = Places::take(places, network) {
                        let timeout_ms = places.bounds().request_timeout_ms;
                        let connection = Connection {
                            peer,
                            place,
                            timeout_ms: network.map_or(timeout_ms.max(PROXY_IDLE_MS), |_| timeout_ms),
                            payments: payments.clone(),
                        };
                        connections.spawn(connection.serve(stream, routes.clone()));
                    } else if let Some(left_out) = failures.admit(payments.clock().monotonic_ms()) {
                        tracing::warn!(event = "connection.refused", %peer, left_out,
                            "a connection is refused: all places, or all of this address, are being answered");
                    }
                }
                Err(error) if is_the_clients(&error) => {}
                Err(error) => {
                    if let Some(left_out) = failures.admit(payments.clock().monotonic_ms()) {
                        tracing::error!(%error, left_out, "no connection can be accepted");
                    }
                    places.free_one();
                    payments.clock().sleep_ms(ACCEPT_RETRY_MS).await;
                }
            },
            Some(ended) = connections.join_next() => note_panic(ended),
            () = payments.ending() => break,
        }
    }
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        note_panic(ended);
    }
}

fn note_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection broke off");
    }
}

/// Whether accepting failed because the client had already gone.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

struct Connection {
    peer: SocketAddr,
    place: Place,
    timeout_ms: u64,
    payments: Payments,
}

impl Connection {
    async fn serve(self, stream: TcpStream, routes: Router) {
        // Answers are small and complete: waiting for more data to send gains nothing.
        let _ = stream.set_nodelay(true);
        let clock = Arc::clone(self.payments.clock());
        let mut stream = Stream::new(stream, Arc::clone(self.place.progress()), clock);
        let mut answering = None;
        while let Some(parked) = self.serve_until_parked(stream, answering, &routes).await {
            let Some((resumed, its_answering)) = parked.resumed().await else {
                return;
            };
            stream = resumed;
            answering = Some(its_answering);
        }
    }

    /// Serves requests until one is parked. `None`: the connection has ended. `resumed` belongs to
    /// the first request if that was parked.
    async fn serve_until_parked(
        &self,
        stream: Stream,
        resumed: Option<Arc<Answering>>,
        routes: &Router,
    ) -> Option<ParkedRequest> {
        let Self {
            place, payments, ..
        } = self;
        let slot = Slot::default();
        let requests = Requests {
            peer: self.peer,
            timeout_ms: self.timeout_ms,
            clock: Arc::clone(payments.clock()),
            progress: Arc::clone(place.progress()),
            slot: slot.clone(),
            resumed: Mutex::new(resumed),
            routes: routes.clone(),
        };
        let service = service_fn(move |request| requests.answer(request));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(self.timeout_ms))
            // For heads and data that is read ahead: hyper's default is 400 KB for each
            // connection.
            .max_buf_size(BUFFER_MAX_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        // Boxed, so that it is freed while a parked request waits.
        let mut connection = Box::new(connection);
        let mut until_parked = |cx: &mut Context<'_>, is_ending: bool| {
            if is_ending {
                Pin::new(&mut *connection).graceful_shutdown();
            }
            // The client decides how a connection ends, so the end is not logged.
            let has_ended = Pin::new(&mut *connection).poll(cx).is_ready();
            // hyper reads no request before the last answer is sent. If it did, taking the connection
            // apart would lose that answer's last bytes.
            let can_leave = slot.is_taken() && !place.progress().is_writing();
            if has_ended || can_leave {
                Poll::Ready(!has_ended)
            } else {
                Poll::Pending
            }
        };
        let ended = async {
            tokio::select! {
                // First: a connection that has just been resumed must read its request before it
                // learns that the server ends.
                biased;
                is_parked = poll_fn(|cx| until_parked(cx, false)) => return is_parked,
                () = place.given_away() => return false,
                () = payments.ending() => {}
            }
            tokio::select! {
                is_parked = poll_fn(|cx| until_parked(cx, true)) => return is_parked,
                () = payments.clock().sleep_ms(LAST_REQUESTS_MS) => {}
            }
            place.progress().is_being_answered() && poll_fn(|cx| until_parked(cx, true)).await
        };
        if !ended.await {
            return None;
        }
        let Parts { io, read_buf, .. } = connection.into_parts();
        slot.leave(io.into_inner(), &read_buf)
    }
}

/// What the requests of one connection need.
struct Requests {
    peer: SocketAddr,
    timeout_ms: u64,
    clock: Arc<dyn Clock>,
    progress: Arc<Progress>,
    slot: Slot,
    /// For the first request, if that was parked.
    resumed: Mutex<Option<Arc<Answering>>>,
    routes: Router,
}

impl Requests {
    fn answer(
        &self,
        request: http::Request<Incoming>,
    ) -> impl Future<Output = Result<http::Response<ResponseBody>, Infallible>> + use<> {
        let resumed = self
            .resumed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let is_resumed = resumed.is_some();
        let answering = resumed
            .unwrap_or_else(|| Arc::new(self.progress.begin(request.body().is_end_stream())));
        let parking = self
            .slot
            .parking(&request, &answering)
            .filter(|_| !is_resumed);
        let timeout_ms = i64::try_from(self.timeout_ms).unwrap_or(i64::MAX);
        let deadline = self.clock.sleep_ms(timeout_ms);
        let progress = Arc::clone(&self.progress);
        let mut request = request.map(|body| Body::new(RequestBody::new(body, progress, deadline)));
        let extensions = request.extensions_mut();
        extensions.insert(ConnectInfo(self.peer));
        if is_resumed {
            extensions.insert(Resumed);
        }
        if let Some(parking) = parking {
            extensions.insert(parking);
        }
        let response = self.routes.clone().oneshot(request);
        async move { Ok(ResponseBody::around(response.await?, answering)) }
    }
}
