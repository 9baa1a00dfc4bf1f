//! Reading a checkout with a long poll. A held poll keeps the number of its order and a timer, and no
//! checkout: thousands of pages wait at once. The database is read after a change, or at the end.
//!
//! A poll has three parts, so that a server can keep nothing else of the call while the poll waits:
//! [`begin_poll`], [`HeldPoll::end`], [`end_poll`].

use merchant_api::{CheckoutAnswer, PollQuery};

use super::{answer, find, reread};
use crate::ledger::{Checkout, Waiter};
use crate::payments::{Payments, PollCount, Queue};
use crate::query;
use crate::refusal::Refusal;

/// When a page may poll again after the server's shutdown ended its poll: time for a new server to
/// start.
const EARLY_POLL_AFTER_MS: u64 = 1_000;

/// What the first part of a poll decided.
#[derive(Debug)]
pub enum Poll {
    /// The poll need not, or may not, wait.
    Answered(Box<CheckoutAnswer>),
    /// The poll waits for a change.
    Held(HeldPoll),
}

/// A poll that waits.
pub struct HeldPoll {
    payments: Payments,
    order_id: i64,
    /// The version that the page knows.
    seen: u64,
    until_ms: i64,
    waiter: Waiter,
    _counted: PollCount,
}

impl HeldPoll {
    /// Returns when the order has changed, the poll's time is over, or the server ends. The answer is
    /// then [`end_poll`]'s.
    pub async fn end(mut self) {
        while self.has_news().await {
            // A box of its own, so that it is freed while the poll waits.
            let checkout = Box::pin(reread(&self.payments, self.order_id)).await;
            // An error ends the poll as well: `end_poll` reads again, and refuses.
            if checkout.is_ok_and(|checkout| checkout.order.version == self.seen) {
                continue;
            }
            return;
        }
    }

    /// Waits until the order may have changed. `false`: the time is over, or the server ends.
    async fn has_news(&mut self) -> bool {
        if self.payments.is_ending() {
            return false;
        }
        let left_ms = self.until_ms - self.payments.clock.monotonic_ms();
        tokio::select! {
            () = self.waiter.changed() => true,
            // Changes by another process on the same database are not announced here.
            () = self.payments.clock.sleep_ms(left_ms) => false,
            () = self.payments.ending() => false,
        }
    }
}

impl std::fmt::Debug for HeldPoll {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HeldPoll")
            .field("order_id", &self.order_id)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}

/// Begins a poll: queries WeChat if requested, and decides whether the poll waits. `may_hold` says
/// whether there is room for a call that waits.
pub async fn begin_poll(
    payments: &Payments,
    token: &str,
    query: PollQuery,
    may_hold: impl Fn() -> bool + Sync,
) -> Result<Poll, Refusal> {
    let mut checkout = find(payments, token).await?;
    let order_id = checkout.order.id;
    note_shown(payments, &checkout);
    if query.ask {
        checkout = query_if_due(payments, order_id).await?;
    }
    let answered = |answer| Ok(Poll::Answered(Box::new(answer)));
    let (Some(wait_s), Some(seen)) = (query.wait_s, query.seen) else {
        return answered(answer(payments, &checkout, None));
    };
    let until_ms = payments.clock.monotonic_ms() + i64::try_from(wait_s).unwrap_or(0) * 1000;
    // A page may have seen a newer version than the database has, after a restored backup. Then the
    // next change is new to it.
    let seen = seen.min(checkout.order.version);
    let waiter = payments.ledger.changes().listen(order_id);
    if checkout.order.version == seen {
        // The order may have changed between the first read and the subscription.
        checkout = reread(payments, order_id).await?;
    }
    // The last places are for notifications and short calls.
    if checkout.order.version != seen || !may_hold() {
        return answered(after_wait(payments, &checkout, may_hold));
    }
    Ok(Poll::Held(HeldPoll {
        payments: payments.clone(),
        order_id,
        seen,
        until_ms,
        waiter,
        _counted: payments.hold_poll(),
    }))
}

/// A page shows the order: counted for the desk.
pub fn note_shown(payments: &Payments, checkout: &Checkout) {
    let now_ms = payments.clock.now_ms();
    payments.buyer_figures.shown(&checkout.order, now_ms);
}

/// The answer to a poll that was held and has ended.
pub async fn end_poll(
    payments: &Payments,
    token: &str,
    may_hold: impl Fn() -> bool,
) -> Result<CheckoutAnswer, Refusal> {
    let checkout = find(payments, token).await?;
    Ok(after_wait(payments, &checkout, may_hold))
}

/// The answer to a poll that could wait. The next poll is held as well, so the page need not wait
/// before it.
fn after_wait(
    payments: &Payments,
    checkout: &Checkout,
    may_hold: impl Fn() -> bool,
) -> CheckoutAnswer {
    let mut answer = answer(payments, checkout, None);
    answer.poll_after_ms = Some(if payments.is_ending() || !may_hold() {
        EARLY_POLL_AFTER_MS
    } else {
        0
    });
    answer
}

/// Queries WeChat unless it was queried a moment ago; returns the checkout after that.
pub(crate) async fn query_if_due(payments: &Payments, order_id: i64) -> Result<Checkout, Refusal> {
    let Ok(_lock) = payments.lock_order(order_id, Queue::Pages).await else {
        // Many callers already wait for the order's lock. One of them will soon have the answer,
        // which wakes all polls.
        return reread(payments, order_id).await;
    };
    // The previous holder of the lock may have queried.
    let checkout = reread(payments, order_id).await?;
    if let Err(error) = query::query_unless_recent(payments, &checkout).await {
        // The page still gets the known state; `checked_ms_ago` says how old it is.
        tracing::warn!(order_no = checkout.order.order_no.as_str(), %error, "WeChat gave no answer about an order");
    }
    reread(payments, order_id).await
}
