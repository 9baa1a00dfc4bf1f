//! What the page was told of an order: `paid` and `closed` come once for an order and tab. It
//! remembers by marks in the tab's storage, so the page may be loaded anew, and may have several
//! elements of the order. It never holds back what the buyer sees.

use super::storage::Mark;
use checkout::Occurrence;
use std::cell::Cell;

/// What the page was told of one order.
pub(crate) struct Told {
    paid: Mark,
    closed: Mark,
    is_first: Cell<bool>,
}

impl Told {
    /// Of the order with this token.
    pub(crate) fn of(token: &str) -> Self {
        Self {
            paid: Mark::of(Mark::PAID, token),
            closed: Mark::of(Mark::CLOSED, token),
            is_first: Cell::default(),
        }
    }

    /// Whether this tab hears of the order's end for the first time. It is asked about each
    /// occurrence, in their order: the change of state comes right after the end.
    pub(crate) fn is_first(&self, occurrence: &Occurrence) -> bool {
        let mark = match occurrence {
            Occurrence::Paid { .. } => &self.paid,
            Occurrence::Closed => &self.closed,
            _ => return self.is_first.get(),
        };
        self.is_first.set(!mark.is_set());
        // Before anybody is told: a handler may load the page anew.
        mark.set(true);
        self.is_first.get()
    }
}
