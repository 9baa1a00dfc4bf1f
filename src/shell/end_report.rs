//! Reports the end of an order once: `paid` and `closed` are emitted once for an order and tab.
//! Marks in the tab's storage record the reports, so the page may be reloaded, and may have several
//! elements of the order. This module never delays what the buyer sees.

use std::cell::Cell;

use checkout::Occurrence;

use super::storage::Mark;

/// Which ends of one order were reported to the page.
pub(crate) struct EndReport {
    paid: Mark,
    closed: Mark,
    is_first: Cell<bool>,
}

impl EndReport {
    /// The end report of the order with this token.
    pub(crate) fn of(token: &str) -> Self {
        Self {
            paid: Mark::of(Mark::PAID, token),
            closed: Mark::of(Mark::CLOSED, token),
            is_first: Cell::default(),
        }
    }

    /// Whether this is the first report of the order's end in this tab. Call it for each
    /// occurrence, in their order: the change of state follows directly after the end.
    pub(crate) fn is_first(&self, occurrence: &Occurrence) -> bool {
        let mark = match occurrence {
            Occurrence::Paid { .. } => &self.paid,
            Occurrence::Closed => &self.closed,
            _ => return self.is_first.get(),
        };
        self.is_first.set(!mark.is_set());
        // Before the report: a handler may reload the page.
        mark.set(true);
        self.is_first.get()
    }
}
