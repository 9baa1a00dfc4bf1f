//! What buyers' pages show and are refused, counted in memory until it is written: for the desk's figures.
//! No call of a page waits for the ledger because of them, and a process that ends abruptly loses the last
//! second of them. They are never part of a payment.

use std::collections::BTreeMap;
use std::mem::take;
use std::sync::{Mutex, PoisonError};

use merchant_api::{ErrorCode, OrderState};

use crate::ledger::{MoreProblems, Order};
use crate::orders::desk::{day_of, day_start_ms};

/// How many orders are kept between two writes. More than this in a second are a flood, of which the figures
/// need not have each order.
const SHOWN_MAX: usize = 2_000;

/// What is not written yet.
#[derive(Debug, Default)]
pub(crate) struct BuyerFigures(Mutex<Unwritten>);

#[derive(Debug, Default)]
struct Unwritten {
    /// Orders, and when a page showed them first.
    shown: BTreeMap<i64, i64>,
    /// By the first moment of the day, and by the word of the code.
    problems: BTreeMap<(i64, &'static str), (ErrorCode, u64)>,
}

impl BuyerFigures {
    /// A page shows the order. Only the first time counts, and only before somebody begins to pay.
    pub(crate) fn shown(&self, order: &Order, now_ms: i64) {
        let counts = order.state == OrderState::Open
            && order.current_attempt == 0
            && order.shown_ms.is_none();
        if !counts {
            return;
        }
        self.change(|unwritten| {
            if unwritten.shown.len() < SHOWN_MAX {
                unwritten.shown.entry(order.id).or_insert(now_ms);
            }
        });
    }

    /// A page was refused what the buyer asked for.
    pub(crate) fn problem(&self, code: ErrorCode, now_ms: i64) {
        let day_ms = day_start_ms(day_of(now_ms));
        self.change(|unwritten| {
            let counted = unwritten.problems.entry((day_ms, code.as_str()));
            counted.or_insert((code, 0)).1 += 1;
        });
    }

    /// What was counted since the last time: orders with the time at which each was shown, and refusals.
    pub(crate) fn take(&self) -> (Vec<(i64, i64)>, Vec<MoreProblems>) {
        let Unwritten { shown, problems } = self.change(take);
        let problems = problems.into_iter();
        let problems = problems.map(|((day_ms, _), (code, count))| MoreProblems {
            day_ms,
            code,
            count,
        });
        (shown.into_iter().collect(), problems.collect())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Unwritten) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_on_its_day_and_each_is_taken_once() {
        let figures = BuyerFigures::default();
        // 2026-11-20T16:00:00Z
        let midnight_ms = 1_795_190_400_000;
        let day_ms = 86_400_000;
        for (code, now_ms) in [
            (ErrorCode::WechatUnavailable, midnight_ms - 1),
            (ErrorCode::WechatUnavailable, midnight_ms),
            (ErrorCode::WechatUnavailable, midnight_ms + 1),
            (ErrorCode::RateLimited, midnight_ms),
        ] {
            figures.problem(code, now_ms);
        }
        let found: Vec<_> = figures.take().1;
        let found = found
            .iter()
            .map(|more| (more.day_ms, more.code, more.count));
        assert_eq!(
            found.collect::<Vec<_>>(),
            [
                (midnight_ms - day_ms, ErrorCode::WechatUnavailable, 1),
                (midnight_ms, ErrorCode::RateLimited, 1),
                (midnight_ms, ErrorCode::WechatUnavailable, 2),
            ]
        );
        assert!(figures.take().1.is_empty());
    }
}
