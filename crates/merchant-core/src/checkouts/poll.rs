//! Reading a checkout, held until something changes. A held poll costs a place in a list and a
//! timer of the clock; the database is read when somebody announced a change, or at the end.

use merchant_api::{CheckoutAnswer, PollQuery};

use super::{answer, reread};
use crate::ledger::Checkout;
use crate::payments::{Payments, Queue};
use crate::query;
use crate::refusal::Refusal;

/// When a page may ask again whose poll was cut short because this server ends: time for another
/// one to take its place.
const EARLY_POLL_AFTER_MS: u64 = 1_000;

/// Answers, after asking WeChat where that is wanted and waiting where that is.
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
    // The next poll is held as well, so there is nothing to wait for between the two.
    answer.poll_after_ms = Some(if payments.is_ending() || !may_hold() {
        EARLY_POLL_AFTER_MS
    } else {
        0
    });
    Ok(answer)
}

/// Asks WeChat unless it was asked a moment ago; gives how things stand then.
pub(crate) async fn query_if_due(payments: &Payments, order_id: i64) -> Result<Checkout, Refusal> {
    let Ok(_lock) = payments.lock_order(order_id, Queue::Pages).await else {
        // So many ask that one of them has the answer in a moment, and all who wait are told.
        return reread(payments, order_id).await;
    };
    // Whoever held the lock before us may have asked.
    let checkout = reread(payments, order_id).await?;
    if let Err(error) = query::query_unless_recent(payments, &checkout).await {
        // The page still gets what we know; `checked_ms_ago` tells it how old that is.
        tracing::warn!(order_no = checkout.order.order_no, %error, "WeChat gave no answer about an order");
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
    // A page may have seen more than is known: a backup was put back. The next change is news to it.
    let seen = seen.min(checkout.order.version);
    let mut waiter = payments.ledger.changes().listen(order_id);
    // Between the first look and the listening something may have changed.
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
            // Another process on the same database announces nothing here.
            () = payments.clock.sleep_ms(left_ms) => return reread(payments, order_id).await,
            () = payments.ending() => break,
        }
    }
    Ok(checkout)
}
