//! Parallel due work. Each [`Lane`] has its own kinds of work, a number of parallel pieces, and a
//! loop; within it the oldest piece comes first. No piece waits for a lock that a call holds (see
//! `payments/order_locks.rs`). What the pieces do is in [`crate::due_work`].

use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::ledger::{Ended, Lane, LeaseRequest, LedgerError};
use crate::payments::Payments;

/// How long the result of a piece may wait to be written together with other results, in
/// milliseconds. Leases are much longer.
const UNWRITTEN_MS: i64 = 200;

impl Lane {
    /// The number of parallel pieces, at most one for each order.
    ///
    /// Two thousand queries that become due together, at half a second each, take ten seconds. That
    /// is 200 calls a second, and `gateway.calls_per_second` may lower the rate. Ending two
    /// thousand orders takes about a minute and delays nothing else.
    ///
    /// A target that hangs holds its message for ten seconds, while messages to other targets go
    /// on. Eight messages at a time are sent to one target, so that even the last one ends within
    /// its lease.
    const fn at_once(self) -> usize {
        match self {
            Self::Queries => 100,
            Self::Ends => 32,
            Self::Refunds | Self::Shippings => 8,
            Self::Backend => 32,
        }
    }

    /// The length of a lease in milliseconds: longer than all calls of a piece together. A query
    /// takes 12 seconds, and 32 with the reversal of a failed payment; an end takes 44 at most
    /// (query, reversal, query), and so does a refund. A piece may wait once for other work of the
    /// same order.
    const fn lease_ms(self) -> i64 {
        match self {
            Self::Queries | Self::Backend => 60_000,
            Self::Ends | Self::Refunds | Self::Shippings => 120_000,
        }
    }

    /// How many pieces are taken in one commit: the minimum under load, and the maximum. The
    /// results of the same number of pieces are written in that commit. A disk makes some hundreds
    /// of commits in a second. Messages and refunds are few and start in the order in which they
    /// became due.
    const fn taken_together(self) -> (usize, usize) {
        match self {
            Self::Queries => (12, 100),
            Self::Ends => (4, 32),
            Self::Refunds | Self::Backend | Self::Shippings => (1, 1),
        }
    }
}

impl Payments {
    /// Runs all work of a lane that is due now; returns the number of pieces.
    pub(crate) async fn run_lane(&self, lane: Lane) -> Result<usize, LedgerError> {
        let mut under_way = UnderWay::new(lane);
        let mut done = 0;
        loop {
            under_way.begin(self).await?;
            if !under_way.one_ended(self).await {
                return Ok(done);
            }
            done += 1;
        }
    }
}

/// The running pieces of a lane, each in its own task, so that a waiting piece does not delay the
/// other pieces. Dropping this value aborts them.
pub(crate) struct UnderWay {
    lane: Lane,
    pieces: JoinSet<Ended>,
    /// The results that are not written yet.
    ended: Vec<Ended>,
    /// When the first of these results came, on the monotonic clock.
    ended_ms: i64,
}

impl UnderWay {
    pub(crate) fn new(lane: Lane) -> Self {
        Self {
            lane,
            pieces: JoinSet::new(),
            ended: Vec::new(),
            ended_ms: 0,
        }
    }

    /// Whether a piece must end before another one can start.
    pub(crate) fn is_full(&self) -> bool {
        self.pieces.len() >= self.lane.at_once()
    }

    /// Writes the results of ended pieces, takes due work as far as the lane has room for it, and
    /// starts it. If that fails, nothing is started, and the results are written with the next
    /// call. If the clock was set back, the waits of scheduled work are restored first.
    pub(crate) async fn begin(&mut self, payments: &Payments) -> Result<(), LedgerError> {
        let (ledger, clock) = (&payments.ledger, &*payments.clock);
        payments.clock_steps.look(clock);
        let is_ahead = ledger.has_work_from_ahead(clock.now_ms()).await?;
        if payments.clock_steps.confirms_put_back(is_ahead) {
            ledger.keep_waits(clock.now_ms()).await?;
        }
        let (least, most) = self.lane.taken_together();
        loop {
            let is_idle = self.pieces.is_empty();
            let room = self.lane.at_once().saturating_sub(self.pieces.len());
            let room = if is_idle || room >= least { room } else { 0 };
            let unwritten_ms = clock.monotonic_ms() - self.ended_ms;
            if room == 0 && (self.ended.len() < least && unwritten_ms < UNWRITTEN_MS) {
                return Ok(());
            }
            let request = LeaseRequest {
                lane: self.lane,
                now_ms: clock.now_ms(),
                lease_ms: self.lane.lease_ms(),
                max_count: room.min(most),
            };
            let taken = ledger.exchange_due_work(&self.ended, request).await?;
            self.ended.clear();
            if taken.is_empty() {
                return Ok(());
            }
            for due in taken {
                let piece = payments.clone().perform(due);
                self.pieces.spawn(piece.instrument(payments.span()));
            }
        }
    }

    /// Waits until a piece ends; returns whether there was one.
    pub(crate) async fn one_ended(&mut self, payments: &Payments) -> bool {
        match self.pieces.join_next().await {
            None => return false,
            Some(Ok(ended)) => {
                if self.ended.is_empty() {
                    self.ended_ms = payments.clock.monotonic_ms();
                }
                self.ended.push(ended);
            }
            Some(Err(broken)) => {
                // The work becomes due again when its lease ends.
                tracing::error!(%broken, "due work broke off");
            }
        }
        true
    }
}
