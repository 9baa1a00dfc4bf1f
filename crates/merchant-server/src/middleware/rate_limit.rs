//! Rate limits for pages, by token and by address. WeChat's notifications and the merchant's
//! backend are never limited, because their calls must not be lost.
//!
//! The memory is bounded: tokens and addresses are counted in a fixed number of buckets. Two tokens
//! or addresses may share a bucket and its quota. Each process makes a new key for the hash, so
//! that no client can choose to share the bucket of another client.
//!
//! Servers on one database tell each other about one call in eight, which stands for all: so ordinary
//! pages cause few words, and who calls without end is limited at all servers together.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use merchant_api::{ApiError, ErrorCode};
use merchant_core::config::RateLimits;
use merchant_core::ledger::{Limit, Spending};
use merchant_core::surroundings::Clock;

use super::token_of;
use crate::connections::{Places, Resumed};
use crate::error::Failure;
use crate::extract::{Caller, network_of};

/// After so many calls, unused keys are removed.
const CALLS_BETWEEN_CLEANINGS: u64 = 4_096;

/// The retry time of a page that is refused because the last places are reserved, in milliseconds.
const FULL_RETRY_MS: u64 = 1_000;

/// A million buckets: about 40 MB if all are in use. With ten thousand orders paid at once, one
/// token in a hundred shares its bucket.
const BUCKETS: u64 = 1 << 20;

type Limiter = RateLimiter<u64, DashMapStateStore<u64>, InjectedClock, NoOpMiddleware<Nanos>>;

/// One call in so many is told to other servers, and counts for all of them there.
const TOLD_CALLS: u32 = 8;

/// The limits of one server.
pub(crate) struct Limits {
    spending: Spending,
    clock: InjectedClock,
    buckets: RandomState,
    by_token: Limiter,
    by_address: Limiter,
    calls: AtomicU64,
}

impl Limits {
    /// Limits as configured, by the server's own clock.
    pub(crate) fn new(config: RateLimits, clock: Arc<dyn Clock>, spending: Spending) -> Self {
        let clock = InjectedClock(clock);
        Self {
            spending,
            buckets: RandomState::new(),
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

    /// Counts a call; returns the time to wait in milliseconds if the call is above the limit.
    fn check(&self, token: Option<&str>, address: Option<IpAddr>) -> Result<(), u64> {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        if call.is_multiple_of(CALLS_BETWEEN_CLEANINGS) {
            self.by_token.retain_recent();
            self.by_address.retain_recent();
        }
        self.count_for_others();
        // No caller knows which call is told.
        let is_told = self
            .buckets
            .hash_one(call)
            .is_multiple_of(u64::from(TOLD_CALLS));
        let now = self.clock.now();
        let wait_ms = |wait: std::time::Duration| u64::try_from(wait.as_millis()).unwrap_or(0) + 1;
        if let Some(address) = address {
            let key = key_of(&network_of(address).to_string());
            self.by_address
                .check_key(&self.bucket(key))
                .map_err(|until| wait_ms(until.wait_time_from(now)))?;
            if is_told {
                self.spending.tell(Limit::PageAddresses, key, TOLD_CALLS);
            }
        }
        if let Some(token) = token {
            let key = key_of(token);
            self.by_token
                .check_key(&self.bucket(key))
                .map_err(|until| wait_ms(until.wait_time_from(now)))?;
            if is_told {
                self.spending.tell(Limit::PageTokens, key, TOLD_CALLS);
            }
        }
        Ok(())
    }

    /// Takes what other servers' callers used from the same buckets here.
    fn count_for_others(&self) {
        for (limit, limiter) in [
            (Limit::PageTokens, &self.by_token),
            (Limit::PageAddresses, &self.by_address),
        ] {
            for (key, count) in self.spending.take_heard(limit, |_| true) {
                let bucket = self.bucket(key);
                let spent = (0..count).map_while(|_| limiter.check_key(&bucket).ok());
                spent.for_each(drop);
            }
        }
    }

    fn bucket(&self, key: impl Hash) -> u64 {
        self.buckets.hash_one(key) % BUCKETS
    }
}

/// The key of a token or an address, the same at all servers. Its bucket is each server's own.
fn key_of(text: &str) -> i64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest(&SHA256, text.as_bytes()).as_ref()[..8]);
    i64::from_be_bytes(first)
}

/// Refuses a call above the limit of its caller or its token, and lets all other calls through.
pub(crate) async fn limit(
    State(limits): State<Arc<Limits>>,
    State(places): State<Arc<Places>>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Response {
    if request.extensions().get::<Resumed>().is_some() {
        return next.run(request).await;
    }
    let token = token_of(request.uri().path());
    if places.are_reserved() {
        let mut error = ApiError::new(ErrorCode::RateLimited, "the server is full");
        error.retry_after_ms = Some(FULL_RETRY_MS);
        return Failure::from(error).into_response();
    }
    match limits.check(token.as_deref(), caller.counted) {
        Ok(()) => next.run(request).await,
        Err(retry_after_ms) => {
            let mut error = ApiError::new(ErrorCode::RateLimited, "too many calls");
            error.retry_after_ms = Some(retry_after_ms);
            Failure::from(error).into_response()
        }
    }
}

/// The server's clock in the form that the limiter needs.
#[derive(Clone)]
struct InjectedClock(Arc<dyn Clock>);

impl GovernorClock for InjectedClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        // A change of the machine's clock neither locks buyers out nor lifts a limit.
        let now_ms = u64::try_from(self.0.monotonic_ms()).unwrap_or(0);
        Nanos::new(now_ms.saturating_mul(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use merchant_core::surroundings::ManualClock;

    use super::*;

    #[test]
    fn the_number_of_remembered_tokens_is_limited() {
        let clock = Arc::new(ManualClock::new(0));
        let limits = Limits::new(RateLimits::default(), clock, Spending::default());
        let long = "a".repeat(60_000);
        let keys: Vec<_> = (0..4)
            .map(|number| limits.bucket(format!("{long}{number}")))
            .collect();
        assert!(keys.iter().all(|key| *key < BUCKETS));
        assert_eq!(limits.bucket("order-1"), limits.bucket("order-1"));
        assert_ne!(keys[0], keys[1], "a chance of one in a million");
    }

    #[test]
    fn one_token_over_its_quota_does_not_affect_others() {
        let clock = Arc::new(ManualClock::new(0));
        let config = RateLimits::default();
        let limits = Limits::new(config, clock, Spending::default());
        while limits.check(Some("greedy-token"), None).is_ok() {}
        let others = (0..100).filter(|number| {
            let token = format!("token-{number}");
            limits.check(Some(&token), None).is_ok()
        });
        assert_eq!(others.count(), 100, "a chance of one in ten thousand");
    }
}
