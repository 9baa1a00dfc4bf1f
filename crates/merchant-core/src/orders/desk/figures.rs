//! The figures of the last thirty days: what was paid, by scene, day and hour, how many orders got how far,
//! and what buyers' pages were refused. A problem that only the buyer's browser saw is not in them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use merchant_api::AttemptProduct;
use payment_values::Fen;

use super::moment::{day_of, day_start_ms, hour_of};
use crate::ledger::{CountedOrders, TakingRow, Total};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// The days that the figures cover, today included.
const DAYS: i32 = 30;

/// A count of payments or refunds, and their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScenePart {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub fen: Fen,
}

/// Where orders that are not paid ended or wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Open or closed, and no page has shown the order.
    pub not_shown: u64,
    /// Open or closed, shown, and nobody began to pay.
    pub not_begun: u64,
    /// Closed after somebody began to pay: given up, too late, or closed by the merchant.
    pub given_up: u64,
    /// WeChat refused the order's last number.
    pub refused: u64,
    /// Open, and somebody has begun to pay.
    pub waiting: u64,
}

/// The figures.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Today's payments by scene.
    pub today: BTreeMap<AttemptProduct, ScenePart>,
    /// The refunds that succeeded today.
    pub refunded_today: ScenePart,
    /// Each of the last days, oldest first, with its payments by scene.
    pub days: Vec<(Date, BTreeMap<AttemptProduct, ScenePart>)>,
    /// The payments of the last days by the hour of the day.
    pub hours: [BTreeMap<AttemptProduct, ScenePart>; 24],
    /// The orders that were created in the last days.
    pub created: u64,
    /// Those that a page has shown, or that somebody began to pay.
    pub shown: u64,
    /// Those that somebody began to pay.
    pub started: u64,
    /// Those that were paid.
    pub paid: u64,
    /// The others.
    pub lost: Lost,
    /// What buyers' pages were refused in the last days: the word of the error code, and how often. The most
    /// frequent is first.
    pub problems: Vec<(String, u64)>,
}

/// Reads the figures.
pub async fn figures(payments: &Payments) -> Result<Figures, Refusal> {
    let today = day_of(payments.clock.now_ms());
    let first = today.saturating_sub(jiff::Span::new().days(DAYS - 1));
    let from_ms = day_start_ms(first);
    let ledger = &payments.ledger;
    let mut figures = Figures {
        days: first
            .series(jiff::Span::new().days(1))
            .take_while(|day| *day <= today)
            .map(|day| (day, BTreeMap::new()))
            .collect(),
        refunded_today: part(ledger.refunded_since(day_start_ms(today)).await?),
        ..Figures::default()
    };
    for row in ledger.takings_since(from_ms).await? {
        figures.add_taking(row, today);
    }
    for orders in ledger.orders_since(from_ms).await? {
        figures.add_orders(&orders);
    }
    let problems = ledger.buyer_problems_since(from_ms).await?;
    let problems = problems.into_iter();
    figures.problems = problems
        .map(|problem| (problem.code, problem.count))
        .collect();
    Ok(figures)
}

impl Figures {
    fn add_taking(&mut self, row: TakingRow, today: Date) {
        let (day, hour) = hour_of(row.hour_no);
        let mut places = Vec::new();
        if day == today {
            places.push(&mut self.today);
        }
        places.extend(
            self.days
                .iter_mut()
                .find(|(known, _)| *known == day)
                .map(|(_, parts)| parts),
        );
        places.extend(self.hours.get_mut(hour));
        for place in places {
            let part = place.entry(row.product).or_default();
            part.count += row.count;
            part.fen = part.fen.saturating_add(row.fen);
        }
    }

    fn add_orders(&mut self, orders: &CountedOrders) {
        let CountedOrders {
            state,
            attempt,
            is_shown,
            count,
        } = orders;
        self.created += count;
        if *is_shown || attempt.is_some() {
            self.shown += count;
        }
        if attempt.is_some() {
            self.started += count;
        }
        match (state.as_str(), attempt.as_deref()) {
            ("paid", _) => self.paid += count,
            (_, None) if *is_shown => self.lost.not_begun += count,
            (_, None) => self.lost.not_shown += count,
            (_, Some("refused")) => self.lost.refused += count,
            ("open", _) => self.lost.waiting += count,
            _ => self.lost.given_up += count,
        }
    }
}

fn part(total: Total) -> ScenePart {
    ScenePart {
        count: total.count,
        fen: total.fen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_is_counted_once_as_paid_or_where_it_is_lost() {
        let mut figures = Figures::default();
        let table = [
            ("paid", Some("paid"), false, 1),
            ("open", None, true, 2),
            ("closed", None, true, 4),
            ("closed", Some("closed"), true, 8),
            ("closed", Some("refused"), false, 16),
            ("open", Some("open"), false, 32),
            ("open", Some("refused"), true, 64),
            ("open", None, false, 128),
            ("closed", None, false, 256),
        ];
        for (state, attempt, is_shown, count) in table {
            figures.add_orders(&CountedOrders {
                state: state.to_owned(),
                attempt: attempt.map(str::to_owned),
                is_shown,
                count,
            });
        }
        assert_eq!(
            [
                figures.created,
                figures.shown,
                figures.started,
                figures.paid
            ],
            [511, 127, 121, 1]
        );
        let lost = Lost {
            not_shown: 384,
            not_begun: 6,
            given_up: 8,
            refused: 80,
            waiting: 32,
        };
        assert_eq!(figures.lost, lost);
    }
}
