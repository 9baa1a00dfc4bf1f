//! How often a page may call, by its token and by its address. Never on WeChat's notifications
//! and never on the merchant's own backend: what those have to say is not to be missed.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use merchant_api::{ApiError, ErrorCode};

use crate::client_address::Caller;
use crate::clock::Clock;
use crate::config::RateLimits;
use crate::error::Failure;
use crate::routes::token_of;
use crate::server::MerchantServer;

/// Keys that have been quiet for long are forgotten once in so many calls.
const CALLS_BETWEEN_CLEANINGS: u64 = 4_096;

type Limiter<K> = RateLimiter<K, DashMapStateStore<K>, InjectedClock, NoOpMiddleware<Nanos>>;

/// The limits of one server.
pub(crate) struct Limits {
    clock: InjectedClock,
    by_token: Limiter<String>,
    by_address: Limiter<IpAddr>,
    calls: AtomicU64,
}

impl Limits {
    /// Limits as configured, by the server's own clock.
    pub(crate) fn new(config: RateLimits, clock: Arc<dyn Clock>) -> Self {
        let clock = InjectedClock(clock);
        Self {
            by_token: RateLimiter::new(
                Quota::per_minute(config.token_per_minute),
                DashMapStateStore::default(),
                clock.clone(),
            ),
            by_address: RateLimiter::new(
                Quota::per_minute(config.address_per_minute),
                DashMapStateStore::default(),
                clock.clone(),
            ),
            clock,
            calls: AtomicU64::new(0),
        }
    }

    /// Counts a call; gives the time to wait in milliseconds where it is one too many.
    fn check(&self, token: Option<&str>, address: Option<IpAddr>) -> Result<(), u64> {
        if self
            .calls
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(CALLS_BETWEEN_CLEANINGS)
        {
            self.by_token.retain_recent();
            self.by_address.retain_recent();
        }
        let now = self.clock.now();
        let wait_ms = |wait: std::time::Duration| u64::try_from(wait.as_millis()).unwrap_or(0) + 1;
        if let Some(address) = address {
            self.by_address
                .check_key(&network_of(address))
                .map_err(|until| wait_ms(until.wait_time_from(now)))?;
        }
        if let Some(token) = token {
            self.by_token
                .check_key(&token.to_owned())
                .map_err(|until| wait_ms(until.wait_time_from(now)))?;
        }
        Ok(())
    }
}

/// Answers a call that is one too many, of its caller or about its token where it is about one, and
/// lets all others through.
pub(crate) async fn limit(
    State(server): State<MerchantServer>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    let token = token_of(request.uri().path());
    match server.limits.check(token, caller.counted) {
        Ok(()) => next.run(request).await,
        Err(retry_after_ms) => {
            let mut error = ApiError::new(ErrorCode::RateLimited, "too many calls");
            error.retry_after_ms = Some(retry_after_ms);
            Failure::from(error).into_response()
        }
    }
}

/// Whose calls count together. Of IPv6 everybody has a /64, which is addresses without end.
const fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

/// The server's clock in the form that the limiter wants.
#[derive(Clone)]
struct InjectedClock(Arc<dyn Clock>);

impl GovernorClock for InjectedClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        // Whoever sets the machine's clock neither locks buyers out nor lets anybody in.
        let now_ms = u64::try_from(self.0.monotonic_ms()).unwrap_or(0);
        Nanos::new(now_ms.saturating_mul(1_000_000))
    }
}
