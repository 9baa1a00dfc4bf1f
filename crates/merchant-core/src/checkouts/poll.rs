//! Reading a checkout with a long poll. A held poll costs an entry in a list and a timer; the
//! database is read after a change, or at the end.

use merchant_api::{CheckoutAnswer, PollQuery};

use super::{answer, reread};
use crate::ledger::Checkout;
use crate::payments::{Payments, Queue};
use crate::query;
use crate::refusal::Refusal;

/// When a page may poll again after the server's shutdown ended its poll: time for a new server to
/// start.
const EARLY_POLL_AFTER_MS: u64 = 1_000;

/// Answers a poll: queries WeChat if requested, and waits for a change if requested.
pub(super) async fn read(
    payments: &Payments,
    checkout: Checkout,
    query: PollQuery,
    may_hold: impl Fn() -> bool,
) -> Result<CheckoutAnswer, Refusal> {
    let order_id = checkout.order.id;
    let checkout = if query.ask {
        query_if_due(payments, order_id).await?
    } else {
        checkout
    };
    let (Some(wait_s), Some(seen)) = (query.wait_s, query.seen) else {
        return Ok(answer(payments, &checkout, None));
    };
    let checkout = hold(payments, checkout, wait_s, seen, &may_hold).await?;
    let mut answer = answer(payments, &checkout, None);
    // The next poll is held as well, so the page need not wait before it.
    answer.poll_after_ms = Some(if payments.is_ending() || !may_hold() {
        EARLY_POLL_AFTER_MS
    } else {
        0
    });
    Ok(answer)
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

async fn hold(
    payments: &Payments,
    mut checkout: Checkout,
    wait_s: u64,
    seen: u64,
    may_hold: &impl Fn() -> bool,
) -> Result<Checkout, Refusal> {
    let order_id = checkout.order.id;
    let until_ms = payments.clock.monotonic_ms() + i64::try_from(wait_s).unwrap_or(0) * 1000;
    // A page may have seen a newer version than the database has, after a restored backup. Then the
    // next change is new to it.
    let seen = seen.min(checkout.order.version);
    let mut waiter = payments.ledger.changes().listen(order_id);
    // The order may have changed between the first read and the subscription.
    checkout = if checkout.order.version == seen {
        reread(payments, order_id).await?
    } else {
        checkout
    };
    // The last places are for notifications and short calls.
    if !may_hold() {
        return Ok(checkout);
    }
    while checkout.order.version == seen && !payments.is_ending() {
        let left_ms = until_ms - payments.clock.monotonic_ms();
        tokio::select! {
            () = waiter.changed() => checkout = reread(payments, order_id).await?,
            // Changes by another process on the same database are not announced here.
            () = payments.clock.sleep_ms(left_ms) => return reread(payments, order_id).await,
            () = payments.ending() => break,
        }
    }
    Ok(checkout)
}
