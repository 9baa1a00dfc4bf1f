//! When to poll the backend: fast at first, then less often; one poll at a time; none while the
//! page is hidden or offline; and one poll for any number of reasons that come together.
//!
//! The schedule stores no answer and knows no state of the payment: the machine starts and stops
//! it, and reports the answer.

use merchant_api::{PollQuery, WAIT_MAX_S};

use crate::effect::RequestId;
use crate::pace::Pace;

/// How long a poll may stay unanswered beyond its own wait, in milliseconds.
const POLL_TIMEOUT_MS: u64 = 10_000;
/// The shortest pause between an answer and the next poll, in milliseconds.
const MIN_PAUSE_MS: u64 = 250;
/// The longest pause that a backend can ask for, in milliseconds.
const MAX_PAUSE_MS: u64 = 5 * 60_000;
/// A poll that was sent within this time counts as new, in milliseconds. Becoming visible, being
/// restored and getting the focus happen together, and cause one poll in this time.
const RECENT_MS: u64 = 1_000;
/// The pause after an answer that came at once with a new version, in milliseconds: a backend whose
/// version grows with every answer must not be polled without end.
const CHANGED_PAUSE_MS: u64 = 1_000;
/// How long after another tab's next poll is due this tab polls itself, in milliseconds.
const PEER_TIMEOUT_MS: u64 = 5_000;
/// The number of failed held polls after which polls are no longer held: a proxy in between may not
/// allow long requests.
const HELD_FAILURES_MAX: u32 = 2;
/// The number of consecutive failures after which the page tells the buyer.
const FAILURES_TO_REPORT: u32 = 2;

/// The pause by the time since polling began, for backends that do not hold a poll: (until, pause),
/// both in milliseconds. WeChat's example is 2 s for the first minute
/// (<https://pay.weixin.qq.com/docs/merchant/products/query-order/callback-and-query-order>).
const RHYTHM_MS: [(u64, u64); 4] = [
    (60_000, 2_000),
    (180_000, 4_000),
    (600_000, 8_000),
    (u64::MAX, 15_000),
];

/// The schedule of polls.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    /// The time since which it polls by itself; `None`: it polls only on request.
    running_since_ms: Option<u64>,
    due_at_ms: Option<u64>,
    queries_wechat: bool,
    in_flight: Option<PollRequest>,
    /// The poll that was dropped, until the machine aborts its request.
    dropped: Option<RequestId>,
    failures: u32,
    held_failures: u32,
    /// Another tab that polls for this one too: its rank, and until when this tab relies on it.
    leader: Option<(u64, u64)>,
    rank: u64,
    /// No hint causes a poll before this time: a poll was just sent, or the backend asked for a
    /// pause.
    hint_after_ms: u64,
    /// When `hint_after_ms` was set. If the clock shows an earlier time, it has jumped back, and
    /// `hint_after_ms` is ignored.
    hint_set_at_ms: u64,
    pace: Pace,
    is_visible: bool,
    is_online: bool,
    jitter: Jitter,
}

/// A poll in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollRequest {
    pub(crate) id: RequestId,
    pub(crate) sent_at_ms: u64,
    pub(crate) queried_wechat: bool,
    wait_ms: u64,
}

impl PollRequest {
    const fn gives_up_at_ms(&self) -> u64 {
        self.sent_at_ms + self.wait_ms + POLL_TIMEOUT_MS
    }

    /// Whether the backend held the poll to the end, so that the next one may follow at once.
    const fn was_held(&self, now_ms: u64) -> bool {
        self.wait_ms > 0 && now_ms.saturating_sub(self.sent_at_ms) + 1_000 >= self.wait_ms
    }
}

impl Poll {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            running_since_ms: None,
            due_at_ms: None,
            queries_wechat: false,
            in_flight: None,
            dropped: None,
            failures: 0,
            held_failures: 0,
            leader: None,
            rank: seed,
            hint_after_ms: 0,
            hint_set_at_ms: 0,
            pace: Pace::default(),
            is_visible: true,
            is_online: true,
            jitter: Jitter(seed | 1),
        }
    }

    /// Polls by itself from now on.
    pub(crate) fn start(&mut self, now_ms: u64) {
        self.running_since_ms = Some(now_ms);
        self.poll_soon(now_ms);
    }

    /// Polls no more by itself, and drops the poll in flight.
    pub(crate) fn stop(&mut self) {
        self.running_since_ms = None;
        self.due_at_ms = None;
        self.queries_wechat = false;
        self.drop_in_flight();
    }

    /// Polls once as soon as possible, and replaces the poll in flight (which may be held for long,
    /// or lost after a sleep). With `queries_wechat` the backend queries WeChat. For the buyer's
    /// intents and the payment's own needs; for anything else see [`hint`](Self::hint).
    pub(crate) fn poll_now(&mut self, now_ms: u64, queries_wechat: bool) {
        let is_same_already = self.in_flight.is_some_and(|request| {
            request.queried_wechat >= queries_wechat
                && now_ms.saturating_sub(request.sent_at_ms) < RECENT_MS
        });
        if is_same_already {
            return;
        }
        self.queries_wechat |= queries_wechat;
        self.due_at_ms = Some(now_ms);
        self.leader = None;
        self.drop_in_flight();
    }

    /// Polls once soon, because something outside indicates a change: the page became visible, the
    /// network is back, another tab sent a message. Any script of the page's origin can cause hints
    /// in any number, so they cause at most one poll in [`RECENT_MS`].
    pub(crate) fn hint(&mut self, now_ms: u64) {
        if let Some(request) = self.in_flight {
            if now_ms.saturating_sub(request.sent_at_ms) < RECENT_MS {
                return;
            }
            self.queries_wechat |= request.queried_wechat;
            self.drop_in_flight();
        }
        let at_ms = self.after_hint_ms(now_ms);
        // A hint brings the next poll forward and never delays it.
        self.due_at_ms = Some(self.due_at_ms.map_or(at_ms, |due_ms| due_ms.min(at_ms)));
        self.leader = None;
    }

    /// Counts one request of any kind, if it may be sent now. `Err`: the time from which it may be
    /// sent.
    pub(crate) fn take_turn(&mut self, now_ms: u64) -> Result<(), u64> {
        self.pace.take(now_ms)
    }

    /// Schedules a query at WeChat for a later time, in place of the next ordinary poll.
    pub(crate) fn query_wechat_at(&mut self, at_ms: u64) {
        self.queries_wechat = true;
        self.due_at_ms = Some(at_ms);
    }

    /// Resumes the schedule after an interruption, if it polls by itself at all.
    pub(crate) fn continue_schedule(&mut self, now_ms: u64) {
        if self.running_since_ms.is_some() && self.in_flight.is_none() && self.due_at_ms.is_none() {
            self.due_at_ms = Some(now_ms + MIN_PAUSE_MS);
        }
    }

    /// Drops the poll in flight.
    pub(crate) fn drop_in_flight(&mut self) {
        if let Some(request) = self.in_flight.take() {
            self.dropped = Some(request.id);
        }
    }

    /// The dropped poll, whose request the caller aborts. At most one poll is in flight, and the
    /// next is sent only after this call, so there is at most one here too.
    pub(crate) const fn take_dropped(&mut self) -> Option<RequestId> {
        self.dropped.take()
    }

    /// The next poll, if it is due; the caller sends it with `id`.
    pub(crate) fn next(
        &mut self,
        now_ms: u64,
        id: RequestId,
        seen: Option<u64>,
    ) -> Option<PollQuery> {
        let is_due = self.due_ms().is_some_and(|due_ms| due_ms <= now_ms);
        if !is_due || self.in_flight.is_some() || !self.may_send() {
            return None;
        }
        if let Err(free_at_ms) = self.take_turn(now_ms) {
            self.due_at_ms = Some(free_at_ms);
            return None;
        }
        self.due_at_ms = None;
        self.block_hints(now_ms, RECENT_MS);
        let queried_wechat = std::mem::take(&mut self.queries_wechat);
        // A first poll, one that queries WeChat, and one after a failure are answered at once:
        // holding them would keep the buyer waiting for nothing.
        let may_wait = self.running_since_ms.is_some()
            && !queried_wechat
            && self.failures == 0
            && self.held_failures < HELD_FAILURES_MAX;
        let wait_s = (may_wait && seen.is_some()).then_some(WAIT_MAX_S);
        self.in_flight = Some(PollRequest {
            id,
            sent_at_ms: now_ms,
            queried_wechat,
            wait_ms: wait_s.unwrap_or(0) * 1_000,
        });
        Some(PollQuery {
            wait_s,
            seen: wait_s.and(seen),
            ask: queried_wechat,
        })
    }

    /// The poll that an answer or a failure belongs to. `None`: not the poll in flight, so the
    /// answer is stale.
    pub(crate) fn take(&mut self, id: RequestId) -> Option<PollRequest> {
        self.in_flight.take_if(|request| request.id == id)
    }

    /// Schedules the next poll after an answer, unless one is scheduled already.
    pub(crate) fn plan(
        &mut self,
        now_ms: u64,
        request: PollRequest,
        is_changed: bool,
        poll_after_ms: Option<u64>,
    ) {
        self.failures = 0;
        let Some(since_ms) = self.running_since_ms.filter(|_| self.due_at_ms.is_none()) else {
            return;
        };
        let is_prompt = now_ms.saturating_sub(request.sent_at_ms) < RECENT_MS;
        let pause_ms = if request.was_held(now_ms) || (is_changed && !is_prompt) {
            MIN_PAUSE_MS
        } else if is_changed {
            CHANGED_PAUSE_MS
        } else {
            let rhythm_ms = rhythm_ms(now_ms.saturating_sub(since_ms));
            let wanted_ms = poll_after_ms.unwrap_or_else(|| self.jitter.around(rhythm_ms));
            wanted_ms.clamp(MIN_PAUSE_MS, MAX_PAUSE_MS)
        };
        self.due_at_ms = Some(now_ms + pause_ms);
    }

    /// Handles a failed poll: retries, with a longer pause each time. A query at WeChat stays a
    /// query.
    pub(crate) fn failed(
        &mut self,
        now_ms: u64,
        request: PollRequest,
        retry_after_ms: Option<u64>,
    ) {
        self.queries_wechat |= request.queried_wechat;
        self.failures = self.failures.saturating_add(1);
        self.held_failures += u32::from(request.wait_ms > 0);
        let backoff_ms = 1_000 << (self.failures - 1).min(5);
        let pause_ms = match retry_after_ms {
            Some(wanted_ms) => {
                let pause_ms = wanted_ms.clamp(MIN_PAUSE_MS, MAX_PAUSE_MS);
                self.block_hints(now_ms, pause_ms);
                pause_ms
            }
            None => self.jitter.around(backoff_ms),
        };
        self.due_at_ms = Some(now_ms + pause_ms);
    }

    /// Takes the poll whose timeout is over.
    pub(crate) fn take_overdue(&mut self, now_ms: u64) -> Option<PollRequest> {
        self.in_flight
            .take_if(|request| request.gives_up_at_ms() <= now_ms)
    }

    /// The page is visible again: poll once now, in place of a poll that may have been lost while
    /// the device slept.
    pub(crate) fn resume(&mut self, now_ms: u64) {
        self.is_visible = true;
        self.refresh(now_ms);
    }

    /// The page is hidden: send nothing.
    pub(crate) fn hide(&mut self) {
        self.is_visible = false;
        self.pause();
    }

    /// The network became available or unavailable.
    pub(crate) fn set_online(&mut self, now_ms: u64, is_online: bool) {
        self.is_online = is_online;
        if is_online {
            self.refresh(now_ms);
        } else {
            self.pause();
        }
    }

    pub(crate) const fn is_visible(&self) -> bool {
        self.is_visible
    }

    /// Nothing is sent while the page is hidden or offline.
    pub(crate) const fn may_send(&self) -> bool {
        self.is_visible && self.is_online
    }

    pub(crate) const fn is_online(&self) -> bool {
        self.is_online
    }

    /// Whether so many polls failed in a row that the buyer should know.
    pub(crate) const fn is_failing(&self) -> bool {
        self.failures >= FAILURES_TO_REPORT
    }

    /// The time at which the schedule needs the timer.
    pub(crate) fn wake_at_ms(&self) -> Option<u64> {
        match self.in_flight {
            Some(request) => Some(request.gives_up_at_ms()),
            None if self.may_send() => self.due_ms(),
            None => None,
        }
    }

    /// Hints, if a poll would have come without it.
    pub(crate) fn refresh(&mut self, now_ms: u64) {
        if self.running_since_ms.is_some() || self.due_at_ms.is_some() {
            self.failures = 0;
            self.hint(now_ms);
        }
    }

    /// Another tab polls, and the backend may hold that poll for `for_ms`. Of two tabs that poll,
    /// the one with the lower rank continues, and the other drops its poll. A query at WeChat
    /// belongs to the buyer and is never dropped.
    pub(crate) fn peer_polls(&mut self, now_ms: u64, rank: u64, for_ms: u64) {
        if rank >= self.rank || self.running_since_ms.is_none() || self.queries_wechat {
            return;
        }
        let until_ms = now_ms + for_ms.min(MAX_PAUSE_MS) + PEER_TIMEOUT_MS;
        self.leader = Some((rank, until_ms));
        if !self.in_flight.is_some_and(|request| request.queried_wechat) {
            self.due_at_ms = Some(self.after_hint_ms(now_ms));
            self.drop_in_flight();
        }
    }

    /// Another tab stopped polling: this tab polls if it relied on that one.
    pub(crate) fn peer_stopped(&mut self, now_ms: u64, rank: u64) {
        if self.leader.is_some_and(|(leader, _)| leader == rank) {
            self.leader = None;
            self.peer_changed(now_ms);
        }
    }

    /// Another tab reports a change. After a failure the retry does not come sooner, because a
    /// tab's message proves nothing.
    pub(crate) fn peer_changed(&mut self, now_ms: u64) {
        if self.failures == 0 {
            self.refresh(now_ms);
        }
    }

    /// Pauses, or lets another request go first. The poll in flight is repeated afterwards.
    pub(crate) fn pause(&mut self) {
        if let Some(request) = self.in_flight {
            self.queries_wechat |= request.queried_wechat;
            self.due_at_ms = Some(request.sent_at_ms + RECENT_MS);
            self.drop_in_flight();
        }
    }

    /// When the next poll is due: later, while another tab polls.
    fn due_ms(&self) -> Option<u64> {
        let due_at_ms = self.due_at_ms?;
        match self.leader {
            Some((_, until_ms)) if !self.queries_wechat => Some(due_at_ms.max(until_ms)),
            _ => Some(due_at_ms),
        }
    }

    /// Blocks polls caused by hints for this long, and does not shorten an earlier block.
    fn block_hints(&mut self, now_ms: u64, for_ms: u64) {
        self.hint_after_ms = self.after_hint_ms(now_ms).max(now_ms + for_ms);
        self.hint_set_at_ms = now_ms;
    }

    /// The earliest time of a poll that a hint causes.
    fn after_hint_ms(&self, now_ms: u64) -> u64 {
        if now_ms < self.hint_set_at_ms {
            return now_ms;
        }
        now_ms.max(self.hint_after_ms)
    }

    fn poll_soon(&mut self, now_ms: u64) {
        if self.in_flight.is_none() {
            self.due_at_ms = Some(now_ms);
        }
    }
}

fn rhythm_ms(since_ms: u64) -> u64 {
    RHYTHM_MS
        .iter()
        .find(|(until_ms, _)| since_ms < *until_ms)
        .map_or(MAX_PAUSE_MS, |(_, pause_ms)| *pause_ms)
}

/// Spreads the polls of many pages: xorshift64, seeded by the caller.
#[derive(Clone, Debug)]
struct Jitter(u64);

impl Jitter {
    /// Between 80 % and 120 % of a pause.
    fn around(&mut self, pause_ms: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        pause_ms * (80 + self.0 % 41) / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain_polls(until_ms: u64) -> Vec<u64> {
        let (mut poll, mut now_ms, mut sent) = (Poll::new(7), 0, Vec::new());
        poll.start(0);
        while now_ms < until_ms {
            let id = RequestId(u32::try_from(sent.len()).unwrap());
            if poll.next(now_ms, id, None).is_some() {
                sent.push(now_ms);
                let request = poll.take(id).unwrap();
                poll.plan(now_ms, request, false, None);
            }
            now_ms = poll.wake_at_ms().unwrap();
        }
        sent
    }

    #[test]
    fn a_backend_that_holds_no_poll_is_polled_fast_at_first_and_then_less_often() {
        let sent = plain_polls(900_000);
        let count = |from, until| sent.iter().filter(|at| (from..until).contains(*at)).count();
        assert!(
            (25..=38).contains(&count(0, 60_000)),
            "{}",
            count(0, 60_000)
        );
        assert!((12..=19).contains(&count(120_000, 180_000)));
        assert!((16..=25).contains(&count(600_000, 900_000)));
    }

    #[test]
    fn a_held_poll_is_followed_at_once_and_an_early_answer_by_the_stated_pause() {
        let mut poll = Poll::new(1);
        poll.start(0);
        let query = poll.next(0, RequestId(1), Some(4)).unwrap();
        assert_eq!((query.wait_s, query.seen), (Some(25), Some(4)));
        let request = poll.take(RequestId(1)).unwrap();
        poll.plan(25_000, request, false, Some(3_000));
        assert_eq!(poll.wake_at_ms(), Some(25_250), "held to the end");
        poll.next(25_250, RequestId(2), Some(4)).unwrap();
        let request = poll.take(RequestId(2)).unwrap();
        poll.plan(25_300, request, false, Some(3_000));
        assert_eq!(poll.wake_at_ms(), Some(28_300), "answered early");
    }

    #[test]
    fn failures_back_off_and_a_stated_pause_is_kept() {
        let mut poll = Poll::new(3);
        poll.start(0);
        let mut pauses = Vec::new();
        let mut now_ms = 0;
        for id in 0..8 {
            poll.next(now_ms, RequestId(id), None).unwrap();
            let request = poll.take(RequestId(id)).unwrap();
            poll.failed(now_ms, request, None);
            let next_ms = poll.wake_at_ms().unwrap();
            pauses.push(next_ms - now_ms);
            now_ms = next_ms;
        }
        for (pause_ms, expected_ms) in pauses.iter().zip([1, 2, 4, 8, 16, 32, 32, 32]) {
            let around = expected_ms * 800..=expected_ms * 1_200;
            assert!(around.contains(pause_ms), "{pauses:?}");
        }
        poll.next(now_ms, RequestId(9), None).unwrap();
        let request = poll.take(RequestId(9)).unwrap();
        poll.failed(now_ms, request, Some(90_000));
        assert_eq!(poll.wake_at_ms(), Some(now_ms + 90_000));
    }

    #[test]
    fn a_hidden_page_polls_never_and_one_that_becomes_visible_polls_once() {
        let mut poll = Poll::new(1);
        poll.start(0);
        poll.next(0, RequestId(1), Some(1)).unwrap();
        poll.hide();
        assert_eq!(poll.take_dropped(), Some(RequestId(1)));
        assert_eq!(poll.next(90_000, RequestId(2), Some(1)), None);
        assert_eq!(poll.wake_at_ms(), None);
        poll.resume(100_000);
        assert_eq!(poll.take_dropped(), None);
        let query = poll.next(100_000, RequestId(2), Some(1)).unwrap();
        assert!(!query.ask);
        assert_eq!(
            poll.next(100_000, RequestId(3), Some(1)),
            None,
            "one in flight"
        );
    }

    #[test]
    fn a_query_at_wechat_survives_a_hidden_page() {
        let mut poll = Poll::new(1);
        poll.start(0);
        poll.poll_now(0, true);
        assert!(poll.next(0, RequestId(1), None).unwrap().ask);
        poll.hide();
        poll.resume(5_000);
        assert!(poll.next(5_000, RequestId(2), None).unwrap().ask);
    }

    #[test]
    fn held_polls_that_fail_are_replaced_by_plain_ones() {
        let mut poll = Poll::new(1);
        poll.start(0);
        let mut now_ms = 0;
        let mut held = Vec::new();
        for id in (0..12).step_by(2) {
            // Only held polls fail here; a plain one is answered.
            let query = poll.next(now_ms, RequestId(id), Some(1)).unwrap();
            held.push(query.wait_s.is_some());
            let request = poll.take(RequestId(id)).unwrap();
            if query.wait_s.is_some() {
                poll.failed(now_ms + 20_000, request, None);
            } else {
                poll.plan(now_ms, request, false, None);
            }
            now_ms = poll.wake_at_ms().unwrap();
        }
        assert_eq!(held, [true, false, true, false, false, false]);
    }

    #[test]
    fn a_version_that_always_grows_is_not_polled_without_end() {
        let mut poll = Poll::new(1);
        poll.start(0);
        poll.next(0, RequestId(1), Some(1)).unwrap();
        let request = poll.take(RequestId(1)).unwrap();
        poll.plan(20, request, true, Some(2_000));
        assert_eq!(poll.wake_at_ms(), Some(1_020), "changed, answered at once");
        poll.next(1_020, RequestId(2), Some(2)).unwrap();
        let request = poll.take(RequestId(2)).unwrap();
        poll.plan(9_000, request, true, Some(2_000));
        assert_eq!(poll.wake_at_ms(), Some(9_250), "changed, after a wait");
    }

    #[test]
    fn a_clock_that_jumps_back_stops_nothing() {
        let mut poll = Poll::new(1);
        poll.start(100_000);
        poll.next(100_000, RequestId(1), Some(1)).unwrap();
        let request = poll.take(RequestId(1)).unwrap();
        poll.plan(50_000, request, false, Some(2_000));
        assert_eq!(poll.wake_at_ms(), Some(52_000));
    }
}
