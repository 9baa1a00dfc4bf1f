//! Random orders of events for orders and refunds: lost calls to WeChat, early, late and repeated
//! notifications, time, restarts of the process, and between them the steps of the subject. After
//! each event all invariants are checked; at the end no fault is injected any more, and both sides
//! must agree.
//!
//! A run tries a few; `PROPTEST_CASES=1000` tries more. A failure prints its seed;
//! `PROPTEST_RNG_SEED` with that number repeats it.

mod orders;

use std::fmt::Debug;
use std::time::{SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config, RngSeed, TestRunner};

use crate::fault_injector::Fault;
use crate::test_server::{SentNotification, TestServer};

/// The subject of the events, with its observations so far.
pub(crate) trait Subject: Sized {
    /// The initial state of a run.
    type Setting: Clone + Debug;
    /// What people do.
    type Step: Clone + Debug;

    /// The default number of runs.
    const CASES: u32;
    /// Kinds of calls to WeChat that get faults.
    const KINDS: &[&str];
    /// The faults.
    const HOWS: &[How];
    /// The possible times until the next event, in milliseconds.
    const TIMES_MS: &[u64];

    fn settings() -> BoxedStrategy<Self::Setting>;
    /// The steps of the subject, each with a weight. Half of all events are such steps.
    fn steps() -> BoxedStrategy<Self::Step>;

    async fn begin(setting: &Self::Setting) -> (TestServer, Self);
    async fn take(&mut self, server: &TestServer, step: &Self::Step);
    /// A notification arrives.
    async fn hear(&self, server: &TestServer, notification: &SentNotification);
    /// Checks the invariants after an event.
    async fn look(&mut self, server: &TestServer);
    /// Time passes without faults; `notifications` are all notifications of the run.
    async fn settle(&mut self, server: &TestServer, notifications: &[SentNotification]);
    /// Checks that both sides agree.
    async fn agree(&self, server: &TestServer);
}

/// A fault of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    AnswerLost,
    NotSent,
    Unsigned500,
    Unsigned403,
}

impl How {
    fn fault(self) -> Fault {
        match self {
            Self::AnswerLost => Fault::AnswerLost,
            Self::NotSent => Fault::NotSent,
            Self::Unsigned500 => Fault::Answered(500, ""),
            Self::Unsigned403 => Fault::Answered(403, r#"{"code":"NOT_ENOUGH"}"#),
        }
    }
}

#[derive(Clone, Debug)]
enum Event<Step> {
    /// A step of the subject.
    Step(Step),
    /// A fault of the next call of a kind.
    InjectFault { kind: &'static str, how: How },
    /// A notification of the run so far arrives, for the first time or again.
    Deliver { place: prop::sample::Index },
    /// Time passes, and due work runs.
    Later { by_ms: u64 },
    /// The process is restarted.
    Restart,
}

/// Tries orders of events; a failure names the shortest failing order that was found.
pub(crate) fn hold<S: Subject>() {
    let (mut runner, seed) = runner(S::CASES);
    let stories = (S::settings(), prop::collection::vec(event::<S>(), 5..40));
    let tried = runner.run(&stories, |(setting, events)| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(live_through::<S>(&setting, events));
        Ok(())
    });
    tried.unwrap_or_else(|failure| {
        panic!("{failure}\nPROPTEST_RNG_SEED={seed} tries the same again")
    });
}

/// A runner with this default number of cases, and its seed for the report of a failure.
pub(crate) fn runner(cases: u32) -> (TestRunner, u64) {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => drawn_seed(),
    };
    let runner = TestRunner::new(Config {
        cases: std::env::var("PROPTEST_CASES").map_or(cases, |_| config.cases),
        rng_seed: RngSeed::Fixed(seed),
        ..config
    });
    (runner, seed)
}

fn drawn_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::from(since.subsec_nanos()) ^ (since.as_secs() << 30)
}

fn event<S: Subject>() -> impl Strategy<Value = Event<S::Step>> {
    let kind = prop::sample::select(S::KINDS);
    let how = prop::sample::select(S::HOWS);
    let by_ms = prop::sample::select(S::TIMES_MS);
    let place = any::<prop::sample::Index>();
    prop_oneof![
        10 => S::steps().prop_map(Event::Step),
        3 => (kind, how).prop_map(|(kind, how)| Event::InjectFault { kind, how }),
        3 => place.prop_map(|place| Event::Deliver { place }),
        3 => by_ms.prop_map(|by_ms| Event::Later { by_ms }),
        1 => Just(Event::Restart),
    ]
}

async fn live_through<S: Subject>(setting: &S::Setting, events: Vec<Event<S::Step>>) {
    let (mut server, mut subject) = S::begin(setting).await;
    let mut notifications: Vec<SentNotification> = Vec::new();
    for event in events {
        match event {
            Event::Step(step) => subject.take(&server, &step).await,
            Event::InjectFault { kind, how } => server.wechat.inject(kind, how.fault()),
            Event::Deliver { place } => {
                if !notifications.is_empty() {
                    subject.hear(&server, place.get(&notifications)).await;
                }
            }
            Event::Later { by_ms } => server.later(by_ms).await,
            Event::Restart => server = server.restart().await,
        }
        server.simulator.run_due().await;
        notifications.extend(server.take_notifications());
        subject.look(&server).await;
    }
    server.wechat.clear_faults();
    subject.settle(&server, &notifications).await;
    subject.look(&server).await;
    subject.agree(&server).await;
}
