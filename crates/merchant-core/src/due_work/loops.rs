//! The loops of a program that runs for long: due work, lane by lane, WeChat's certificates on schedule, and
//! the figures of buyers' pages. What the work is and when it is due is not decided here.

use futures_util::future::{join_all, join3};
use log_output::QuietLog;
use tracing::Instrument as _;

use super::lanes::UnderWay;
use crate::ledger::Lane;
use crate::payments::{Merchants, Payments};
use crate::wechat::Refreshed;

/// The longest sleep of a loop: work that another instance or a route scheduled is found within
/// this time.
const LONGEST_SLEEP_MS: i64 = 1_000;
/// The shortest sleep of a loop while nothing ends: due work that could not be taken is mostly held
/// by another process.
const SHORTEST_SLEEP_MS: i64 = 50;
/// How often the figures of buyers' pages are written.
const FIGURES_EVERY_MS: i64 = 1_000;

/// Runs due work when it is due, and downloads WeChat's certificates on schedule, forever. `current`
/// returns the merchants under the current configuration. Each merchant has lanes of its own.
pub async fn run_for_ever(current: impl Fn() -> Merchants) {
    let mchids: Vec<_> = current()
        .each()
        .map(|payments| payments.mchid().to_owned())
        .collect();
    let of_merchant = |mchid: String| {
        let current = &current;
        let payments = move || {
            let merchants = current();
            let found = merchants.of_mchid(&mchid);
            // A reload has the same merchants.
            found.unwrap_or_else(|| merchants.first()).clone()
        };
        let span = payments().span();
        async move {
            let lanes = join_all(Lane::ALL.map(|lane| work(&payments, lane)));
            join3(lanes, keep_trust(&payments), keep_figures(&payments)).await;
        }
        .instrument(span)
    };
    join_all(mchids.into_iter().map(of_merchant)).await;
}

/// Runs a lane's due work in a loop. A failure of the ledger is logged and retried a little later;
/// calls are served meanwhile.
async fn work(current: &impl Fn() -> Payments, lane: Lane) {
    let mut under_way = UnderWay::new(lane);
    let failures = QuietLog::new();
    loop {
        let payments = current();
        let clock = &*payments.clock;
        let wait_ms = match under_way.begin(&payments).await {
            Ok(()) if under_way.is_full() => LONGEST_SLEEP_MS,
            Ok(()) => {
                let next_ms = payments.ledger.next_due_ms(lane).await.ok().flatten();
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
            true = under_way.one_ended(&payments) => {}
            // Work that becomes due does not wait for running work.
            () = clock.sleep_ms(wait_ms) => {}
        }
    }
}

/// Downloads WeChat's platform certificates at the start and on schedule. If WeChat cannot be
/// reached, the trusted certificates stay trusted.
async fn keep_trust(current: &impl Fn() -> Payments) {
    loop {
        let payments = current();
        for warning in payments
            .config
            .certificate_warnings(payments.clock.now_ms() / 1000)
        {
            tracing::warn!(event = "merchant_certificate.ends", "{warning}");
        }
        match payments.refresh_certificates_if_due().await {
            Ok(Some(Refreshed::PublicKeyOnly)) => {
                tracing::debug!("WeChat has no platform certificates for this merchant");
            }
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(event = "certificates.unavailable", %error, "WeChat's platform certificates could not be fetched");
            }
        }
        payments
            .clock
            .sleep_ms(payments.wechat.certificates_wait_ms())
            .await;
    }
}

/// Writes the figures of buyers' pages once a second.
async fn keep_figures(current: &impl Fn() -> Payments) {
    let failures = QuietLog::new();
    loop {
        let payments = current();
        if let Err(error) = payments.write_buyer_figures().await
            && let Some(left_out) = failures.admit(payments.clock.monotonic_ms())
        {
            tracing::warn!(%error, left_out, "figures of buyers' pages are lost");
        }
        payments.clock.sleep_ms(FIGURES_EVERY_MS).await;
    }
}
