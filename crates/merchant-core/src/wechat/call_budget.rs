//! The limit on calls to WeChat in a second, of all kinds: one budget for the whole merchant,
//! because WeChat limits by merchant. Each source of calls has a guaranteed share that no other
//! source can take. The part of a share that its source does not use is free for the other sources.
//! So a flood of buyers delays neither due work nor what follows a notification, and the other way
//! round.
//!
//! It is a token bucket per share and a common one that takes their overflow. It never queues
//! without a bound: a call that would wait longer than its source allows is refused at once, with
//! the time after which to try again. Times are those of the monotonic clock.
//!
//! Several servers of one merchant tell each other what they use. What another one used is taken from
//! the same share here; what is not there is a debt, which the share's next gains pay off.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Mutex as AsyncMutex;

use crate::ledger::{Limit, Spending};
use crate::surroundings::Clock;

/// What causes a call to WeChat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallSource {
    /// A page of a buyer, or any caller that has or guesses the page's address. Also the default:
    /// see `CallSource::current`.
    Buyer,
    /// The merchant's backend, with an API key.
    Backend,
    /// A notification of WeChat, and the download of certificates to verify it.
    Notification,
    /// Due work.
    DueWork,
}

tokio::task_local! {
    static CURRENT: CallSource;
}

impl CallSource {
    /// Runs `work`; every call to WeChat in it counts for this source. A task that `work` spawns
    /// needs a scope of its own.
    pub async fn scope<Work: Future>(self, work: Work) -> Work::Output {
        CURRENT.scope(self, work).await
    }

    /// The source of the present scope; outside of any, the source of buyers: a forgotten scope
    /// must not use the shares of other sources.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(|source| *source).unwrap_or(Self::Buyer)
    }

    /// How long a call may wait for its turn, in milliseconds. A notification has to be answered
    /// within five seconds; due work holds a lease and an order meanwhile.
    const fn longest_wait_ms(self) -> u64 {
        match self {
            Self::Buyer => 1_000,
            Self::Notification => 2_000,
            Self::Backend | Self::DueWork => 5_000,
        }
    }

    /// Index into [`SHARES_PERCENT`].
    const fn share(self) -> usize {
        match self {
            Self::Buyer => 0,
            Self::DueWork => 1,
            Self::Backend | Self::Notification => 2,
        }
    }
}

/// What is guaranteed to buyers, to due work, and to those who prove who they are (the backend by
/// its key, WeChat by its signature). The sum is 100.
const SHARES_PERCENT: [u64; 3] = [40, 40, 20];
/// One call, in the unit of the buckets: a share of `p` percent of `n` calls a second gains `n * p`
/// units in a millisecond.
const CALL_UNITS: u64 = 100_000;
/// A bucket holds what it gains in this time, in milliseconds, and at least one call. All of them
/// together hold a second's calls.
const BURST_MS: u64 = 500;
/// How long a share pays off its debt at most, in milliseconds.
const DEBT_MS: u64 = 3_000;
/// The number of shares, for keys that name a merchant and a share.
const SHARES: i64 = 3;
const _: () = assert!(SHARES_PERCENT.len() == 3);

/// A call was refused because the budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server makes no more calls to WeChat at the moment (gateway.calls_per_second)")]
pub(crate) struct OverBudget {
    /// The wait in milliseconds after which such a call may be sent.
    pub(crate) retry_after_ms: u64,
}

/// The budget of calls to WeChat; see the module's documentation.
#[derive(Debug)]
pub(crate) struct CallBudget {
    calls_per_second: NonZeroU32,
    buckets: Mutex<Buckets>,
    lines: [Line; SHARES_PERCENT.len()],
    /// What other servers use, and what this one does.
    spending: Spending,
    /// The merchant, among those of all servers.
    merchant: i64,
}

/// The waiting calls of one share, first come, first served.
#[derive(Debug, Default)]
struct Line {
    turn: AsyncMutex<()>,
    waiting: AtomicU64,
}

/// What can be spent, in units.
#[derive(Debug)]
struct Buckets {
    shares: [u64; SHARES_PERCENT.len()],
    common: u64,
    /// What other servers used and was not there.
    debts: [u64; SHARES_PERCENT.len()],
    filled_ms: i64,
}

impl CallBudget {
    /// A full budget.
    pub(crate) fn new(calls_per_second: NonZeroU32, now_ms: i64) -> Self {
        let per_second = u64::from(calls_per_second.get());
        Self {
            calls_per_second,
            buckets: Mutex::new(Buckets {
                shares: SHARES_PERCENT.map(|percent| capacity(per_second * percent)),
                common: capacity(per_second * 100),
                debts: Default::default(),
                filled_ms: now_ms,
            }),
            lines: Default::default(),
            spending: Spending::default(),
            merchant: 0,
        }
    }

    /// The same budget, shared with the merchant's other servers.
    pub(super) fn sharing(mut self, spending: &Spending, mchid: &str) -> Self {
        self.spending = spending.clone();
        // WeChat's numbers have ten digits.
        self.merchant = mchid.parse().unwrap_or_default();
        self
    }

    /// What the servers share.
    pub(super) const fn spending(&self) -> &Spending {
        &self.spending
    }

    /// The configured bound.
    pub(super) const fn calls_per_second(&self) -> NonZeroU32 {
        self.calls_per_second
    }

    /// Waits until one call may be made. Take one for each try.
    pub(crate) async fn permit(
        &self,
        source: CallSource,
        clock: &dyn Clock,
    ) -> Result<(), OverBudget> {
        let wait_ms = self.wait_ms(source, clock.monotonic_ms());
        if wait_ms > source.longest_wait_ms() {
            return Err(OverBudget {
                retry_after_ms: wait_ms,
            });
        }
        let line = &self.lines[source.share()];
        let _waiting = Waiting::behind(&line.waiting);
        let _turn = line.turn.lock().await;
        loop {
            let Err(wait_ms) = self.take(source, clock.monotonic_ms()) else {
                return Ok(());
            };
            clock
                .sleep_ms(i64::try_from(wait_ms).unwrap_or(i64::MAX))
                .await;
        }
    }

    /// How long a call of this source would wait now, in milliseconds, without unused shares of
    /// other sources. Due work checks this before it starts.
    pub(crate) fn wait_ms(&self, source: CallSource, now_ms: i64) -> u64 {
        let before = self.lines[source.share()].waiting.load(Ordering::Relaxed);
        let buckets = self.filled(now_ms);
        let there = buckets.shares[source.share()] + buckets.common;
        let wanted = (before + 1).saturating_mul(CALL_UNITS);
        let debt = buckets.debts[source.share()];
        wanted
            .saturating_add(debt)
            .saturating_sub(there)
            .div_ceil(self.gain_per_ms(source))
    }

    /// Takes a call's units; the error is the wait in milliseconds until they are certainly there.
    fn take(&self, source: CallSource, now_ms: i64) -> Result<(), u64> {
        let gain_per_ms = self.gain_per_ms(source);
        let mut buckets = self.filled(now_ms);
        let Buckets {
            shares,
            common,
            debts,
            ..
        } = &mut *buckets;
        let own = &mut shares[source.share()];
        let missing = CALL_UNITS.saturating_sub(*own);
        if missing > *common {
            let wait = missing - *common + debts[source.share()];
            return Err(wait.div_ceil(gain_per_ms));
        }
        *own -= CALL_UNITS - missing;
        *common -= missing;
        let place = i64::try_from(source.share()).unwrap_or_default();
        self.spending
            .tell(Limit::WechatCalls, self.merchant * SHARES + place, 1);
        Ok(())
    }

    /// The buckets as they are now, after the gains and what other servers used.
    fn filled(&self, now_ms: i64) -> MutexGuard<'_, Buckets> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.fill(self.calls_per_second, now_ms);
        let of_merchant = |key: i64| key.div_euclid(SHARES) == self.merchant;
        for (key, count) in self.spending.take_heard(Limit::WechatCalls, of_merchant) {
            let share = usize::try_from(key.rem_euclid(SHARES)).unwrap_or_default();
            buckets.pay_for_others(share, count, self.calls_per_second);
        }
        buckets
    }

    const fn gain_per_ms(&self, source: CallSource) -> u64 {
        self.calls_per_second.get() as u64 * SHARES_PERCENT[source.share()]
    }
}

impl Buckets {
    fn fill(&mut self, calls_per_second: NonZeroU32, now_ms: i64) {
        let per_second = u64::from(calls_per_second.get());
        let passed_ms = u64::try_from(now_ms.saturating_sub(self.filled_ms)).unwrap_or(0);
        self.filled_ms = now_ms;
        let mut overflow = 0_u64;
        let shares = self.shares.iter_mut().zip(&mut self.debts);
        for ((bucket, debt), percent) in shares.zip(SHARES_PERCENT) {
            let gain_per_ms = per_second * percent;
            let gained = passed_ms.saturating_mul(gain_per_ms);
            let paid_off = gained.min(*debt);
            *debt -= paid_off;
            let filled = bucket.saturating_add(gained - paid_off);
            *bucket = filled.min(capacity(gain_per_ms));
            overflow = overflow.saturating_add(filled - *bucket);
        }
        // What a share does not use is not free as long as another server has used it.
        for debt in &mut self.debts {
            let paid_off = overflow.min(*debt);
            *debt -= paid_off;
            overflow -= paid_off;
        }
        self.common = self.common.saturating_add(overflow);
        self.common = self.common.min(capacity(per_second * 100));
    }

    /// Another server has made so many calls of a share.
    fn pay_for_others(&mut self, share: usize, count: u32, calls_per_second: NonZeroU32) {
        let mut owed = u64::from(count).saturating_mul(CALL_UNITS);
        for bucket in [&mut self.shares[share], &mut self.common] {
            let paid = owed.min(*bucket);
            *bucket -= paid;
            owed -= paid;
        }
        // Nobody is in debt for longer than some seconds, whatever is heard.
        let gain_per_ms = u64::from(calls_per_second.get()) * SHARES_PERCENT[share];
        let most = gain_per_ms.saturating_mul(DEBT_MS).max(CALL_UNITS);
        self.debts[share] = self.debts[share].saturating_add(owed).min(most);
    }
}

/// What a bucket holds at most, in units.
const fn capacity(gain_per_ms: u64) -> u64 {
    let burst = gain_per_ms * BURST_MS;
    if burst < CALL_UNITS {
        CALL_UNITS
    } else {
        burst
    }
}

/// One place in a queue, freed when this is dropped.
struct Waiting<'a>(&'a AtomicU64);

impl<'a> Waiting<'a> {
    fn behind(waiting: &'a AtomicU64) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::CallSource::{Backend, Buyer, DueWork, Notification};
    use super::*;
    use crate::surroundings::ManualClock;

    fn budget(calls_per_second: u32) -> CallBudget {
        let calls_per_second = NonZeroU32::new(calls_per_second).expect("a rate");
        CallBudget::new(calls_per_second, 0)
    }

    /// How many calls of a source go through at one moment.
    fn taken(budget: &CallBudget, source: CallSource, now_ms: i64) -> u64 {
        let mut taken = 0;
        while budget.take(source, now_ms).is_ok() {
            taken += 1;
        }
        taken
    }

    #[test]
    fn a_minute_of_excess_calls_gets_the_configured_rate_and_one_burst() {
        for calls_per_second in [1_u32, 3, 10, 300] {
            for source in [Buyer, Backend, Notification, DueWork] {
                let budget = budget(calls_per_second);
                let all: u64 = (0..=60_000)
                    .map(|now_ms| taken(&budget, source, now_ms))
                    .sum();
                let rate = u64::from(calls_per_second);
                // All that the minute gains, and less than two seconds' worth of bursts. A rate
                // of one holds a whole call in each bucket.
                let bounds = 60 * rate - rate..=62 * rate + 2;
                assert!(bounds.contains(&all), "{source:?} at {rate}: {all}");
            }
        }
    }

    #[test]
    fn a_flood_of_one_source_does_not_use_the_share_of_the_others() {
        for flooding in [Buyer, DueWork, Backend] {
            for other in [Buyer, DueWork, Notification] {
                if other.share() == flooding.share() {
                    continue;
                }
                let budget = budget(100);
                let mut others = 0;
                for now_ms in 0..10_000 {
                    taken(&budget, flooding, now_ms);
                    others += taken(&budget, other, now_ms);
                }
                let guaranteed = 10 * SHARES_PERCENT[other.share()];
                assert!(others >= guaranteed, "{flooding:?}, {other:?}: {others}");
            }
        }
    }

    #[test]
    fn together_all_sources_stay_within_the_rate() {
        let budget = budget(50);
        let mut all = 0;
        for now_ms in 0..10_000 {
            for source in [Buyer, DueWork, Backend, Notification] {
                all += taken(&budget, source, now_ms);
            }
        }
        assert!((500..=550).contains(&all), "{all}");
    }

    #[test]
    fn two_servers_that_hear_each_other_stay_within_one_rate() {
        for sources in [[Buyer, Buyer], [Buyer, DueWork], [DueWork, DueWork]] {
            let servers = sources.map(|source| {
                let spending = Spending::among_others();
                let budget = budget(50).sharing(&spending, "1900000109");
                (source, budget, spending)
            });
            let mut all = 0;
            for now_ms in 0..12_000 {
                for (source, budget, _) in &servers {
                    let taken = taken(budget, *source, now_ms);
                    // Each begins with a burst, and does not know of the other's.
                    all += if now_ms < 2_000 { 0 } else { taken };
                }
                // They hear each other five times a second.
                if now_ms % 200 == 0 {
                    let [(.., one), (.., other)] = &servers;
                    for (from, to) in [(one, other), (other, one)] {
                        for word in from.words() {
                            to.hear(&word);
                        }
                    }
                }
            }
            // Ten seconds at the rate, and what is used before it is heard.
            assert!((400..=550).contains(&all), "{sources:?}: {all}");
        }
    }

    #[test]
    fn a_clock_that_was_an_hour_ahead_delays_no_call_by_an_hour() {
        let budget = budget(10);
        taken(&budget, Buyer, 3_600_000);
        assert_eq!(taken(&budget, Buyer, 0), 0);
        assert!(taken(&budget, Buyer, 1_000) >= 4);
    }

    #[tokio::test]
    async fn a_call_waits_for_its_turn_and_is_refused_if_the_wait_is_too_long() {
        let clock = ManualClock::new(0);
        let budget = Arc::new(budget(10));
        taken(&budget, DueWork, 0);
        // Buyers gain four calls a second: the fifth one in the line would wait longer than one.
        taken(&budget, Buyer, 0);
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                let (budget, clock) = (budget.clone(), clock.clone());
                tokio::spawn(async move { budget.permit(Buyer, &clock).await })
            })
            .collect();
        while budget.lines[Buyer.share()].waiting.load(Ordering::Relaxed) < 4 {
            tokio::task::yield_now().await;
        }
        let refused = budget.permit(Buyer, &clock).await;
        assert_eq!(
            refused,
            Err(OverBudget {
                retry_after_ms: 1_250
            })
        );
        for waiting in waiting {
            while !waiting.is_finished() {
                clock.advance_ms(50);
                tokio::task::yield_now().await;
            }
            assert_eq!(waiting.await.expect("no panic"), Ok(()));
        }
    }

    #[tokio::test]
    async fn a_dropped_call_leaves_the_queue() {
        let clock = ManualClock::new(0);
        let budget = budget(10);
        taken(&budget, Buyer, 0);
        {
            let mut waiting = std::pin::pin!(budget.permit(Buyer, &clock));
            let poll = std::future::poll_fn(|context| {
                std::task::Poll::Ready(waiting.as_mut().poll(context).is_pending())
            });
            assert!(poll.await);
            assert_eq!(budget.lines[0].waiting.load(Ordering::Relaxed), 1);
        }
        assert_eq!(budget.lines[0].waiting.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_scope_names_the_source_and_a_spawned_task_has_none() {
        assert_eq!(CallSource::current(), Buyer);
        let (inside, spawned) = DueWork
            .scope(async {
                let spawned = tokio::spawn(async { CallSource::current() });
                (CallSource::current(), spawned.await.expect("no panic"))
            })
            .await;
        assert_eq!((inside, spawned), (DueWork, Buyer));
    }
}
