//! When to ask the backend: fast first, then backing off; one question at a time; nothing while
//! the page is hidden or the network is gone; one question for however many reasons there are.
//!
//! It holds no answer and knows no state of the payment: the machine says when to run and what
//! came back.

use merchant_api::{PollQuery, WAIT_MAX_S};

use crate::effect::RequestId;
use crate::pace::Pace;

/// How long a question may stay unanswered beyond its own wait, in milliseconds.
const PATIENCE_MS: u64 = 10_000;
/// Shortest pause between an answer and the next question, in milliseconds.
const MIN_PAUSE_MS: u64 = 250;
/// Longest pause that a backend can ask for, in milliseconds.
const MAX_PAUSE_MS: u64 = 5 * 60_000;
/// A question sent so lately is as good as a new one, in milliseconds: becoming visible, being
/// shown and getting the focus come together. So hints bring about one question in this time.
const JUST_NOW_MS: u64 = 1_000;
/// Pause after an answer that came at once with something new, in milliseconds: a backend whose
/// version always grows must not be asked without end.
const CHANGED_PAUSE_MS: u64 = 1_000;
/// How much later than another tab's next question this one asks after all, in milliseconds.
const PEER_PATIENCE_MS: u64 = 5_000;
/// Held questions that broke before none is held any more: a proxy in between may not let them.
const HELD_FAILURES_MAX: u32 = 2;
/// Failures in a row before the buyer is told.
const FAILURES_TO_TELL: u32 = 2;

/// Pause by the time since polling began, for backends that do not hold a poll:
/// (until, pause), both in milliseconds. WeChat's example is 2 s for the first minute.
const RHYTHM_MS: [(u64, u64); 4] = [
    (60_000, 2_000),
    (180_000, 4_000),
    (600_000, 8_000),
    (u64::MAX, 15_000),
];

/// The schedule of questions.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    /// Since when it runs by itself; `None`: only when told to.
    running_since_ms: Option<u64>,
    due_at_ms: Option<u64>,
    asks_wechat: bool,
    in_flight: Option<Reading>,
    /// The question that was given up, until the machine aborts it.
    given_up: Option<RequestId>,
    failures: u32,
    held_failures: u32,
    /// Another tab asks for this one too: which, and until when it is trusted to.
    leader: Option<(u64, u64)>,
    rank: u64,
    /// Before then no hint brings about a question: one was just sent, or the backend asked for a
    /// pause.
    hint_after_ms: u64,
    /// When that was set. A clock that shows an earlier time has jumped back, and then it means nothing.
    hint_set_at_ms: u64,
    pace: Pace,
    is_visible: bool,
    is_online: bool,
    jitter: Jitter,
}

/// A question under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) id: RequestId,
    pub(crate) sent_at_ms: u64,
    pub(crate) asked_wechat: bool,
    wait_ms: u64,
}

impl Reading {
    const fn gives_up_at_ms(&self) -> u64 {
        self.sent_at_ms + self.wait_ms + PATIENCE_MS
    }

    /// The backend held it to the end, so the next may follow at once.
    const fn was_held(&self, now_ms: u64) -> bool {
        self.wait_ms > 0 && now_ms.saturating_sub(self.sent_at_ms) + 1_000 >= self.wait_ms
    }
}

impl Poll {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            running_since_ms: None,
            due_at_ms: None,
            asks_wechat: false,
            in_flight: None,
            given_up: None,
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

    /// Runs by itself from now on.
    pub(crate) fn start(&mut self, now_ms: u64) {
        self.running_since_ms = Some(now_ms);
        self.hasten(now_ms);
    }

    /// Asks nothing more by itself, and gives up the question under way.
    pub(crate) fn stop(&mut self) {
        self.running_since_ms = None;
        self.due_at_ms = None;
        self.asks_wechat = false;
        self.interrupt();
    }

    /// One question as soon as possible, in place of the one under way (which may be held for
    /// long, or dead after a sleep). With `asks_wechat` the backend asks WeChat. For what the buyer
    /// wants and what the payment itself needs; see [`hint`](Self::hint).
    pub(crate) fn ask_now(&mut self, now_ms: u64, asks_wechat: bool) {
        let is_same_already = self.in_flight.is_some_and(|reading| {
            reading.asked_wechat >= asks_wechat
                && now_ms.saturating_sub(reading.sent_at_ms) < JUST_NOW_MS
        });
        if is_same_already {
            return;
        }
        self.asks_wechat |= asks_wechat;
        self.due_at_ms = Some(now_ms);
        self.leader = None;
        self.interrupt();
    }

    /// One question soon, for something outside says that there may be news: the page was shown,
    /// the network is back, another tab spoke. Anything of the page's origin can say so, in any
    /// number, so it is one question in [`JUST_NOW_MS`] at most.
    pub(crate) fn hint(&mut self, now_ms: u64) {
        if let Some(reading) = self.in_flight {
            if now_ms.saturating_sub(reading.sent_at_ms) < JUST_NOW_MS {
                return;
            }
            self.asks_wechat |= reading.asked_wechat;
            self.interrupt();
        }
        let at_ms = self.after_hint_ms(now_ms);
        // It hastens, and delays nothing.
        self.due_at_ms = Some(self.due_at_ms.map_or(at_ms, |due_ms| due_ms.min(at_ms)));
        self.leader = None;
    }

    /// Whether one more request may be sent, of any kind; it is counted. `Err`: from when on.
    pub(crate) fn take_turn(&mut self, now_ms: u64) -> Result<(), u64> {
        self.pace.take(now_ms)
    }

    /// A question to WeChat at a later time, in place of the ordinary next one.
    pub(crate) fn ask_wechat_at(&mut self, at_ms: u64) {
        self.asks_wechat = true;
        self.due_at_ms = Some(at_ms);
    }

    /// Takes the rhythm up again after an interruption, if it runs at all.
    pub(crate) fn carry_on(&mut self, now_ms: u64) {
        if self.running_since_ms.is_some() && self.in_flight.is_none() && self.due_at_ms.is_none() {
            self.due_at_ms = Some(now_ms + MIN_PAUSE_MS);
        }
    }

    /// Gives the question under way up.
    pub(crate) fn interrupt(&mut self) {
        if let Some(reading) = self.in_flight.take() {
            self.given_up = Some(reading.id);
        }
    }

    /// The question that was given up, to be aborted. There is one in flight at most, and a new one
    /// only after this, so there is one at most here too.
    pub(crate) const fn take_given_up(&mut self) -> Option<RequestId> {
        self.given_up.take()
    }

    /// The next question, if its time has come; the caller sends it under `id`.
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
        self.hold_hints(now_ms, JUST_NOW_MS);
        let asked_wechat = std::mem::take(&mut self.asks_wechat);
        // A first question, one that asks WeChat, and one after a failure are answered at once:
        // holding them would tell the buyer nothing.
        let may_wait = self.running_since_ms.is_some()
            && !asked_wechat
            && self.failures == 0
            && self.held_failures < HELD_FAILURES_MAX;
        let wait_s = (may_wait && seen.is_some()).then_some(WAIT_MAX_S);
        self.in_flight = Some(Reading {
            id,
            sent_at_ms: now_ms,
            asked_wechat,
            wait_ms: wait_s.unwrap_or(0) * 1_000,
        });
        Some(PollQuery {
            wait_s,
            seen: wait_s.and(seen),
            ask: asked_wechat,
        })
    }

    /// The question that an answer or a failure belongs to, or `None` when it is not the one
    /// under way: then it is stale.
    pub(crate) fn take(&mut self, id: RequestId) -> Option<Reading> {
        self.in_flight.take_if(|reading| reading.id == id)
    }

    /// Plans the next question after an answer, unless one is planned already.
    pub(crate) fn plan(
        &mut self,
        now_ms: u64,
        reading: Reading,
        is_changed: bool,
        poll_after_ms: Option<u64>,
    ) {
        self.failures = 0;
        let Some(since_ms) = self.running_since_ms.filter(|_| self.due_at_ms.is_none()) else {
            return;
        };
        let is_prompt = now_ms.saturating_sub(reading.sent_at_ms) < JUST_NOW_MS;
        let pause_ms = if reading.was_held(now_ms) || (is_changed && !is_prompt) {
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

    /// A question failed: tries again, later each time. One that asked WeChat still does.
    pub(crate) fn failed(&mut self, now_ms: u64, reading: Reading, retry_after_ms: Option<u64>) {
        self.asks_wechat |= reading.asked_wechat;
        self.failures = self.failures.saturating_add(1);
        self.held_failures += u32::from(reading.wait_ms > 0);
        let backoff_ms = 1_000 << (self.failures - 1).min(5);
        let pause_ms = match retry_after_ms {
            Some(wanted_ms) => {
                let pause_ms = wanted_ms.clamp(MIN_PAUSE_MS, MAX_PAUSE_MS);
                self.hold_hints(now_ms, pause_ms);
                pause_ms
            }
            None => self.jitter.around(backoff_ms),
        };
        self.due_at_ms = Some(now_ms + pause_ms);
    }

    /// Gives up the question whose time is over.
    pub(crate) fn take_overdue(&mut self, now_ms: u64) -> Option<Reading> {
        self.in_flight
            .take_if(|reading| reading.gives_up_at_ms() <= now_ms)
    }

    /// The page came back: one question now, in place of one that may have died in its sleep.
    pub(crate) fn resume(&mut self, now_ms: u64) {
        self.is_visible = true;
        self.refresh(now_ms);
    }

    /// The page is hidden: asks nothing.
    pub(crate) fn hide(&mut self) {
        self.is_visible = false;
        self.give_way();
    }

    /// The network is back, or gone.
    pub(crate) fn set_online(&mut self, now_ms: u64, is_online: bool) {
        self.is_online = is_online;
        if is_online {
            self.refresh(now_ms);
        } else {
            self.give_way();
        }
    }

    pub(crate) const fn is_visible(&self) -> bool {
        self.is_visible
    }

    /// Nothing is sent while the page is hidden or the network is gone.
    pub(crate) const fn may_send(&self) -> bool {
        self.is_visible && self.is_online
    }

    pub(crate) const fn is_online(&self) -> bool {
        self.is_online
    }

    /// Enough questions failed in a row that the buyer should know.
    pub(crate) const fn is_failing(&self) -> bool {
        self.failures >= FAILURES_TO_TELL
    }

    /// When it needs to be looked at again.
    pub(crate) fn wake_at_ms(&self) -> Option<u64> {
        match self.in_flight {
            Some(reading) => Some(reading.gives_up_at_ms()),
            None if self.may_send() => self.due_ms(),
            None => None,
        }
    }

    /// A hint, if any question was to come by itself.
    pub(crate) fn refresh(&mut self, now_ms: u64) {
        if self.running_since_ms.is_some() || self.due_at_ms.is_some() {
            self.failures = 0;
            self.hint(now_ms);
        }
    }

    /// Another tab asks, and may be held for so long. Of two that ask, the one with the lower
    /// rank goes on, and the other's question is given up. A question that asks WeChat is the
    /// buyer's own.
    pub(crate) fn peer_asks(&mut self, now_ms: u64, rank: u64, for_ms: u64) {
        if rank >= self.rank || self.running_since_ms.is_none() || self.asks_wechat {
            return;
        }
        let until_ms = now_ms + for_ms.min(MAX_PAUSE_MS) + PEER_PATIENCE_MS;
        self.leader = Some((rank, until_ms));
        if !self.in_flight.is_some_and(|reading| reading.asked_wechat) {
            self.due_at_ms = Some(self.after_hint_ms(now_ms));
            self.interrupt();
        }
    }

    /// Another tab asks no more: this one does, if it was waiting for that one.
    pub(crate) fn peer_stopped(&mut self, now_ms: u64, rank: u64) {
        if self.leader.is_some_and(|(leader, _)| leader == rank) {
            self.leader = None;
            self.peer_hints(now_ms);
        }
    }

    /// Another tab says that there is something new. After a failure that is no reason to try again
    /// sooner: what a tab says proves nothing.
    pub(crate) fn peer_hints(&mut self, now_ms: u64) {
        if self.failures == 0 {
            self.refresh(now_ms);
        }
    }

    /// Stops for now, or lets another request go first. What was under way is asked again after it.
    pub(crate) fn give_way(&mut self) {
        if let Some(reading) = self.in_flight {
            self.asks_wechat |= reading.asked_wechat;
            self.due_at_ms = Some(reading.sent_at_ms + JUST_NOW_MS);
            self.interrupt();
        }
    }

    /// When the next question is due: later, while another tab asks.
    fn due_ms(&self) -> Option<u64> {
        let due_at_ms = self.due_at_ms?;
        match self.leader {
            Some((_, until_ms)) if !self.asks_wechat => Some(due_at_ms.max(until_ms)),
            _ => Some(due_at_ms),
        }
    }

    /// No hint brings about a question in the next while, nor before an earlier hold ends.
    fn hold_hints(&mut self, now_ms: u64, for_ms: u64) {
        self.hint_after_ms = self.after_hint_ms(now_ms).max(now_ms + for_ms);
        self.hint_set_at_ms = now_ms;
    }

    /// The earliest time of a question that a hint brings about.
    fn after_hint_ms(&self, now_ms: u64) -> u64 {
        if now_ms < self.hint_set_at_ms {
            return now_ms;
        }
        now_ms.max(self.hint_after_ms)
    }

    fn hasten(&mut self, now_ms: u64) {
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

/// Spreads the questions of many pages: xorshift64, seeded from outside.
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
                let reading = poll.take(id).unwrap();
                poll.plan(now_ms, reading, false, None);
            }
            now_ms = poll.wake_at_ms().unwrap();
        }
        sent
    }

    #[test]
    fn a_backend_that_holds_nothing_is_asked_fast_first_and_then_less() {
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
    fn a_held_poll_is_followed_at_once_and_an_early_one_waits_as_asked() {
        let mut poll = Poll::new(1);
        poll.start(0);
        let query = poll.next(0, RequestId(1), Some(4)).unwrap();
        assert_eq!((query.wait_s, query.seen), (Some(25), Some(4)));
        let reading = poll.take(RequestId(1)).unwrap();
        poll.plan(25_000, reading, false, Some(3_000));
        assert_eq!(poll.wake_at_ms(), Some(25_250), "held to the end");
        poll.next(25_250, RequestId(2), Some(4)).unwrap();
        let reading = poll.take(RequestId(2)).unwrap();
        poll.plan(25_300, reading, false, Some(3_000));
        assert_eq!(poll.wake_at_ms(), Some(28_300), "answered early");
    }

    #[test]
    fn failures_back_off_and_a_stated_pause_is_obeyed() {
        let mut poll = Poll::new(3);
        poll.start(0);
        let mut pauses = Vec::new();
        let mut now_ms = 0;
        for id in 0..8 {
            poll.next(now_ms, RequestId(id), None).unwrap();
            let reading = poll.take(RequestId(id)).unwrap();
            poll.failed(now_ms, reading, None);
            let next_ms = poll.wake_at_ms().unwrap();
            pauses.push(next_ms - now_ms);
            now_ms = next_ms;
        }
        for (pause_ms, expected_ms) in pauses.iter().zip([1, 2, 4, 8, 16, 32, 32, 32]) {
            let around = expected_ms * 800..=expected_ms * 1_200;
            assert!(around.contains(pause_ms), "{pauses:?}");
        }
        poll.next(now_ms, RequestId(9), None).unwrap();
        let reading = poll.take(RequestId(9)).unwrap();
        poll.failed(now_ms, reading, Some(90_000));
        assert_eq!(poll.wake_at_ms(), Some(now_ms + 90_000));
    }

    #[test]
    fn a_hidden_page_asks_nothing_and_one_that_returns_asks_once() {
        let mut poll = Poll::new(1);
        poll.start(0);
        poll.next(0, RequestId(1), Some(1)).unwrap();
        poll.hide();
        assert_eq!(poll.take_given_up(), Some(RequestId(1)));
        assert_eq!(poll.next(90_000, RequestId(2), Some(1)), None);
        assert_eq!(poll.wake_at_ms(), None);
        poll.resume(100_000);
        assert_eq!(poll.take_given_up(), None);
        let query = poll.next(100_000, RequestId(2), Some(1)).unwrap();
        assert!(!query.ask);
        assert_eq!(
            poll.next(100_000, RequestId(3), Some(1)),
            None,
            "one in flight"
        );
    }

    #[test]
    fn a_question_to_wechat_survives_a_hidden_page() {
        let mut poll = Poll::new(1);
        poll.start(0);
        poll.ask_now(0, true);
        assert!(poll.next(0, RequestId(1), None).unwrap().ask);
        poll.hide();
        poll.resume(5_000);
        assert!(poll.next(5_000, RequestId(2), None).unwrap().ask);
    }

    #[test]
    fn held_questions_that_break_give_way_to_plain_ones() {
        let mut poll = Poll::new(1);
        poll.start(0);
        let mut now_ms = 0;
        let mut held = Vec::new();
        for id in (0..12).step_by(2) {
            // What breaks is a question that is held; a plain one is answered.
            let query = poll.next(now_ms, RequestId(id), Some(1)).unwrap();
            held.push(query.wait_s.is_some());
            let reading = poll.take(RequestId(id)).unwrap();
            if query.wait_s.is_some() {
                poll.failed(now_ms + 20_000, reading, None);
            } else {
                poll.plan(now_ms, reading, false, None);
            }
            now_ms = poll.wake_at_ms().unwrap();
        }
        assert_eq!(held, [true, false, true, false, false, false]);
    }

    #[test]
    fn a_version_that_always_grows_is_not_asked_for_without_end() {
        let mut poll = Poll::new(1);
        poll.start(0);
        poll.next(0, RequestId(1), Some(1)).unwrap();
        let reading = poll.take(RequestId(1)).unwrap();
        poll.plan(20, reading, true, Some(2_000));
        assert_eq!(poll.wake_at_ms(), Some(1_020), "new, and at once");
        poll.next(1_020, RequestId(2), Some(2)).unwrap();
        let reading = poll.take(RequestId(2)).unwrap();
        poll.plan(9_000, reading, true, Some(2_000));
        assert_eq!(poll.wake_at_ms(), Some(9_250), "new, after a wait");
    }

    #[test]
    fn a_clock_that_jumps_back_stops_nothing() {
        let mut poll = Poll::new(1);
        poll.start(100_000);
        poll.next(100_000, RequestId(1), Some(1)).unwrap();
        let reading = poll.take(RequestId(1)).unwrap();
        poll.plan(50_000, reading, false, Some(2_000));
        assert_eq!(poll.wake_at_ms(), Some(52_000));
    }
}
