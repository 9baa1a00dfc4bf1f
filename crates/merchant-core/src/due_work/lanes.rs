//! Due work side by side. Each [`Lane`] has work of its own kinds, a number of pieces that are done at
//! a time, and a loop; within it the oldest piece comes first. No piece waits for a lock that a call
//! holds (see `payments/order_locks.rs`). What the pieces do is in [`crate::due_work`].

use tokio::task::JoinSet;

use crate::ledger::{Ended, Lane, LedgerError, Wanted};
use crate::payments::Payments;

/// How long what came of a piece may wait to be written with others, in milliseconds. Its lease is
/// longer by far.
const UNWRITTEN_MS: i64 = 200;

impl Lane {
    /// How many pieces of it are done at a time, at most one for each order.
    ///
    /// Two thousand queries that fall due together, at half a second each, take ten seconds; that
    /// is 200 calls a second, which `gateway.calls_per_second` may bound further. The ends of as many
    /// orders take about a minute, and hold up nobody.
    ///
    /// A target that hangs holds its message for ten seconds, which others go past. They take their
    /// turns at a target eight at a time, so that even the last of them ends within its lease.
    const fn at_once(self) -> usize {
        match self {
            Self::Queries => 100,
            Self::Ends => 32,
            Self::Refunds => 8,
            Self::Backend => 32,
        }
    }

    /// How long work is taken for, in milliseconds; longer than its calls can last together. A
    /// question takes 12 seconds, and 32 with the reversal that a failed payment needs; an end 44 at
    /// most (question, reversal, question), and so does a refund. Work of the same order may be waited
    /// for once.
    const fn lease_ms(self) -> i64 {
        match self {
            Self::Queries | Self::Backend => 60_000,
            Self::Ends | Self::Refunds => 120_000,
        }
    }

    /// How many pieces are taken together, at least where there is more to do than can be done, and
    /// at most; what came of as many is written with it. Each taking is a commit, and a disk does some
    /// hundreds of them in a second. Messages and refunds are few, and are begun in the order in which
    /// they fell due.
    const fn taken_together(self) -> (usize, usize) {
        match self {
            Self::Queries => (12, 100),
            Self::Ends => (4, 32),
            Self::Refunds | Self::Backend => (1, 1),
        }
    }
}

impl Payments {
    /// Does all of a lane's work that is due by now; gives the number of pieces.
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

/// The pieces of a lane's work that are being done, each a task of its own: what one of them waits
/// for is not waited for by the others. Whoever drops this cuts them off.
pub(crate) struct UnderWay {
    lane: Lane,
    pieces: JoinSet<Ended>,
    /// What came of those that ended, as far as it is not written yet.
    ended: Vec<Ended>,
    /// When the first of these ended, on the monotonic clock.
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

    /// Whether nothing more can be begun before a piece ends.
    pub(crate) fn is_full(&self) -> bool {
        self.pieces.len() >= self.lane.at_once()
    }

    /// Writes what came of the pieces that ended, takes what is due, as far as the lane has room for
    /// it, and begins it. Where that fails, nothing is begun, and what came of the others is written
    /// with the next call. The clock may have been put back, too: then work gets its wait again first.
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
            let wanted = Wanted {
                lane: self.lane,
                now_ms: clock.now_ms(),
                lease_ms: self.lane.lease_ms(),
                most: room.min(most),
            };
            let taken = ledger.exchange_due_work(&self.ended, wanted).await?;
            self.ended.clear();
            if taken.is_empty() {
                return Ok(());
            }
            for due in taken {
                self.pieces.spawn(payments.clone().perform(due));
            }
        }
    }

    /// Ends with one of the pieces; says whether there was one.
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
                // It comes up again when its lease is over.
                tracing::error!(%broken, "due work broke off");
            }
        }
        true
    }
}
