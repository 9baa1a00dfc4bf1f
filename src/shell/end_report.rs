//! Reports the end of an order once: `paid` and `closed` come once for an order and tab. It
//! remembers them by marks in the tab's storage, so the page may be loaded anew, and may have several
//! elements of the order. It never holds back what the buyer sees.

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
    /// Of the order with this token.
    pub(crate) fn of(token: &str) -> Self {
        Self {
            paid: Mark::of(Mark::PAID, token),
            closed: Mark::of(Mark::CLOSED, token),
            is_first: Cell::default(),
        }
    }

    /// Whether this is the first report of the order's end in this tab. Call it for each occurrence, in
    /// their order: the change of state comes right after the end.
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
