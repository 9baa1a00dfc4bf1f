//! The walk: every order of everything that can happen, up to a depth, in each kind of place.
//!
//! States that differ only in what the clock showed when they began are the same state, so the
//! walk goes through each once and counts the orders that lead through it. After every event all
//! of [`INVARIANTS`] are checked; one that breaks is reported with the shortest order that breaks
//! it.
//!
//! `CHECKOUT_WALK_DEPTH=8 cargo test -p checkout --test machine walk -- --nocapture` goes deeper,
//! and prints what it covered.

use crate::page::{
    AUTHORIZE_URL, CODE, DESK, H5_URL, MINI_PROGRAM, MINI_PROGRAM_PATH, OTHER_CODE, PHONE, Page,
    WECHAT, WECOM, attempted, closed, code_shown, open_order, paid, pay_parameters,
};
use checkout::{
    BridgeReply, Destination, Effect, Event, Failure, Intent, Occurrence, Options, PeerWord,
    Request,
};
use merchant_api::{Action, ApiError, CheckoutAnswer, ErrorCode, Malformed, OrderState, Product};
use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};

/// How deep the walk goes in each test run.
const DEPTH: usize = 4;

/// Whether something holds after an event.
type Holds = fn(&Node, &Taken<'_>) -> bool;

/// What holds after every event, in every order.
const INVARIANTS: [(&str, Holds); 14] = [
    ("`paid` is told once, ever", |node, _| node.paid_told <= 1),
    (
        "what is shown as paid was told, and the other way round",
        |node, _| {
            node.is_destroyed || (node.page.screen().name() == "paid") == (node.paid_told == 1)
        },
    ),
    ("`paid` comes of the backend's word alone", |node, taken| {
        taken.told(|what| matches!(what, Occurrence::Paid { .. })) == 0
            || taken.word == Some(OrderState::Paid) && node.paid_told == 1
    }),
    (
        "`closed` is told at most once, and on the backend's word alone",
        |node, taken| {
            node.closed_told <= 1
                && (taken.told(|what| matches!(what, Occurrence::Closed)) == 0
                    || taken.word == Some(OrderState::Closed))
        },
    ),
    ("only late money follows `closed`", |node, _| {
        node.closed_told == 0
            || node.is_destroyed
            || matches!(node.page.screen().name(), "closed" | "paid")
    }),
    ("there is one request in flight at most", |node, _| {
        node.page.open.len() <= 1
    }),
    ("nothing is begun once it is paid", |_, taken| {
        !taken.was_paid || !taken.has(begins)
    }),
    ("nothing has an effect after the end", |_, taken| {
        !taken.was_destroyed || taken.effects.is_empty()
    }),
    (
        "after the end no request and no timer is left",
        |node, _| !node.is_destroyed || node.page.is_quiet(),
    ),
    ("a wake is set while something is awaited", |node, _| {
        node.is_destroyed || node.page.wake_at_ms.is_some() || !node.awaits_something()
    }),
    (
        "the machine does not ask to be woken without end",
        |node, taken| {
            !taken.is_wake
                || node
                    .page
                    .wake_at_ms
                    .is_none_or(|at_ms| at_ms > node.page.now_ms)
        },
    ),
    (
        "nobody is sent to `h5_url` without a gesture of the buyer's",
        |_, taken| {
            !taken.has(|effect| matches!(effect, Effect::Navigate(Destination::H5(_))))
                || taken.had_gesture
        },
    ),
    (
        "in WeChat on a phone there is never a native code",
        |node, taken| {
            !node.is_handheld_wechat
                || !node.page.screen().name().starts_with("qr")
                    && !taken.has(|effect| {
                        matches!(
                            effect,
                            Effect::Send { request: Request::Start(form), .. }
                                if form.product == Product::Native
                        )
                    })
        },
    ),
    (
        "the cashier is called once for each attempt's answer",
        |_, taken| {
            let calls = taken
                .count(|effect| matches!(effect, Effect::InvokeCashier(_) | Effect::InvokeSdk(_)));
            calls <= usize::from(taken.gave_parameters)
        },
    ),
];

#[test]
fn at_a_desk() {
    let from = |so_far| walk("desk", DESK, Options::default(), so_far);
    from(&[]);
    from(&["read: open", "start: done"]);
    from(&["read: open", "start: done", "cancel"]);
    from(&["read: open", "start: superseded"]);
}

#[test]
fn on_a_phone() {
    let options = Options {
        return_url: Some("https://shop.example/pay".into()),
        auto_start: true,
        ..Options::default()
    };
    let from = |so_far| walk("phone", PHONE, options.clone(), so_far);
    from(&[]);
    from(&["read: open", "start", "start: done"]);
    from(&["read: open", "start", "start: done", "hidden", "resumed"]);
}

#[test]
fn on_a_phone_after_a_return() {
    let options = Options {
        return_url: Some("https://shop.example/pay".into()),
        auto_start: true,
        returned: true,
        ..Options::default()
    };
    let from = |so_far| walk("return", PHONE, options.clone(), so_far);
    from(&[]);
    from(&["read: open", "check-payment"]);
}

#[test]
fn in_wechat() {
    let options = Options {
        auto_start: true,
        payer: Some("handle-1".into()),
        ..Options::default()
    };
    let from = |so_far| walk("wechat", WECHAT, options.clone(), so_far);
    from(&[]);
    from(&["read: open", "start: done"]);
    from(&["read: open", "start: done", "the cashier says ok"]);
    from(&["read: open", "start: done", "the cashier says cancel"]);
}

#[test]
fn in_wecom() {
    let from = |so_far| walk("wecom", WECOM, Options::default(), so_far);
    from(&[]);
    from(&["read: open", "start", "start: done"]);
    from(&["read: open", "start", "start: done", "there is no cashier"]);
}

#[test]
fn in_a_mini_program() {
    let from = |so_far| walk("mini-program", MINI_PROGRAM, Options::default(), so_far);
    from(&[]);
    from(&["read: open", "start", "start: done"]);
}

/// A place in the walk: a page, and what was seen on the way to it.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Node {
    page: Page,
    path: Vec<&'static str>,
    paid_told: usize,
    closed_told: usize,
    is_visible: bool,
    is_online: bool,
    is_destroyed: bool,
    is_handheld_wechat: bool,
    /// The buyer's click that the next leave for `h5_url` may use up.
    has_gesture: bool,
    /// The cashier has parameters that it was not called with yet.
    has_parameters: bool,
}

/// One event and what came of it.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
struct Taken<'a> {
    effects: &'a [Effect],
    /// What the backend said of the order in this event.
    word: Option<OrderState>,
    was_paid: bool,
    was_destroyed: bool,
    had_gesture: bool,
    gave_parameters: bool,
    is_wake: bool,
}

impl Taken<'_> {
    fn has(&self, wanted: impl Fn(&Effect) -> bool) -> bool {
        self.count(wanted) > 0
    }

    fn count(&self, wanted: impl Fn(&Effect) -> bool) -> usize {
        self.effects.iter().filter(|effect| wanted(effect)).count()
    }

    fn told(&self, wanted: impl Fn(&Occurrence) -> bool) -> usize {
        self.count(|effect| matches!(effect, Effect::Emit(what) if wanted(what)))
    }
}

fn begins(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::Send { .. }
            | Effect::InvokeCashier(_)
            | Effect::InvokeSdk(_)
            | Effect::AwaitBridge
            | Effect::Navigate(Destination::H5(_) | Destination::MiniProgram(_))
    )
}

#[expect(clippy::large_enum_variant, reason = "one at a time")]
enum Step {
    Wake,
    Event(Event),
    /// To the one request that is open.
    Answer(CheckoutAnswer),
    Fail(Failure),
}

impl Node {
    /// Where something that was begun is not over, the page must not fall asleep: a request
    /// that never ends, a poll that is never asked.
    fn awaits_something(&self) -> bool {
        let name = self.page.screen().name();
        let is_settled = matches!(name, "paid" | "closed" | "expired" | "problem");
        let is_asking = self.is_visible && self.is_online && !is_settled;
        !self.page.open.is_empty() || is_asking
    }

    fn take(&self, name: &'static str, step: Step) -> Self {
        let mut node = self.clone();
        node.path.push(name);
        node.page.effects.clear();
        let id = self.page.open.first().map(|(id, _)| *id);
        let mut word = None;
        let is_wake = matches!(step, Step::Wake);
        match step {
            Step::Wake => {
                let wake_at_ms = node.page.wake_at_ms.take().expect("a wake is set");
                node.page.now_ms = node.page.now_ms.max(wake_at_ms);
                node.page.happen(Event::Woke);
            }
            Step::Event(event) => {
                match &event {
                    Event::Hidden => node.is_visible = false,
                    Event::Resumed => node.is_visible = true,
                    Event::Offline => node.is_online = false,
                    Event::Online => node.is_online = true,
                    Event::Destroyed => node.is_destroyed = true,
                    Event::Wanted(Intent::Start | Intent::StartFallback | Intent::TakeOver) => {
                        node.has_gesture = true;
                    }
                    _ => {}
                }
                node.page.happen(event);
            }
            Step::Answer(answer) => {
                word = Some(answer.state);
                node.has_parameters |= matches!(answer.action, Some(Action::Jsapi(_)));
                node.page.answer(id.expect("a request is open"), answer);
            }
            Step::Fail(failure) => {
                if let Failure::Refused {
                    answer: Some(answer),
                    ..
                } = &failure
                {
                    word = Some(answer.state);
                }
                node.page.fail(id.expect("a request is open"), failure);
            }
        }
        let effects = std::mem::take(&mut node.page.effects);
        let taken = Taken {
            effects: &effects,
            word,
            was_paid: self.paid_told > 0,
            was_destroyed: self.is_destroyed,
            had_gesture: node.has_gesture,
            gave_parameters: node.has_parameters,
            is_wake,
        };
        node.paid_told += taken.told(|what| matches!(what, Occurrence::Paid { .. }));
        node.closed_told += taken.told(|what| matches!(what, Occurrence::Closed));
        for (name, holds) in INVARIANTS {
            assert!(
                holds(&node, &taken),
                "broken: {name}\n  after {:?}\n  with {effects:?}\n  shown {:?}, open {:?}, wake {:?} at {}",
                node.path,
                node.page.screen(),
                node.page.open,
                node.page.wake_at_ms,
                node.page.now_ms,
            );
        }
        if taken.has(|effect| matches!(effect, Effect::Navigate(Destination::H5(_)))) {
            node.has_gesture = false;
        }
        if taken.has(|effect| matches!(effect, Effect::InvokeCashier(_) | Effect::InvokeSdk(_))) {
            node.has_parameters = false;
        }
        node
    }

    /// Everything that can happen here.
    fn steps(&self) -> Vec<(&'static str, Step)> {
        let mut steps = vec![
            ("hidden", Step::Event(Event::Hidden)),
            ("resumed", Step::Event(Event::Resumed)),
            ("offline", Step::Event(Event::Offline)),
            ("online", Step::Event(Event::Online)),
            ("woken early", Step::Event(Event::Woke)),
            ("destroyed", Step::Event(Event::Destroyed)),
        ];
        if self.page.wake_at_ms.is_some() {
            steps.push(("woken", Step::Wake));
        }
        for intent in Intent::ALL {
            steps.push((intent.as_str(), Step::Event(Event::Wanted(intent))));
        }
        steps.extend(peers());
        steps.extend(wechat());
        match self.page.open.first() {
            Some((_, Request::Read(_))) => steps.extend(read_answers()),
            Some((_, Request::Start(form))) => {
                steps.extend(start_answers(form.product, form.after.unwrap_or(0)));
            }
            Some((_, Request::Cancel(_))) => steps.extend(cancel_answers()),
            None => {}
        }
        steps
    }

    /// The state, without what the clock showed when it began.
    fn key(&self) -> u64 {
        let mut text = String::new();
        let _ = write!(
            text,
            "{:?} {:?} wake_at_ms: {:?} {} {} {} {} {} {} {}",
            self.page.machine,
            self.page.open,
            self.page.wake_at_ms,
            self.paid_told,
            self.closed_told,
            self.is_visible,
            self.is_online,
            self.is_destroyed,
            self.has_gesture,
            self.has_parameters,
        );
        let mut hasher = DefaultHasher::new();
        hash_relative(&text, self.page.now_ms, &mut hasher);
        hasher.finish()
    }
}

/// Hashes a state's text with its times as distances from now, and its request ids as distances
/// from the last one. Times past are past: how long ago matters for none of them but a start,
/// whose distance is kept up to the longest that a rhythm knows.
fn hash_relative(text: &str, now_ms: u64, hasher: &mut DefaultHasher) {
    const ABSOLUTE: [&str; 12] = [
        "running_since_ms: ",
        "due_at_ms: ",
        "sent_at_ms: ",
        "until_ms: ",
        "gives_up_at_ms: ",
        "deadline_ms: ",
        "since_ms: ",
        "silent_at_ms: ",
        "stuck_at_ms: ",
        "wake_at_ms: ",
        "leave: ",
        "leader: ",
    ];
    let last_id = number_after(text, "last_id: ").unwrap_or(0);
    let bytes = text.as_bytes();
    let (mut at, mut run) = (0, 0);
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = at
            + bytes[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
        let before = &text[run..at];
        before.hash(hasher);
        let number: u64 = text[at..end].parse().unwrap_or(u64::MAX);
        // `leader: Some((1, 52000))`: the rank stands before the time.
        let context = &text[at.saturating_sub(32)..at];
        let context = context
            .rsplit_once(['{', '}'])
            .map_or(context, |(_, last)| last);
        let is_rank = context.ends_with("leader: Some((");
        let is_time = !is_rank
            && ABSOLUTE.iter().any(|name| {
                context.rsplit_once(name).is_some_and(|(_, rest)| {
                    rest.bytes()
                        .all(|byte| b"Some(0123456789, ".contains(&byte))
                        && (rest.matches(',').count() == 0 || *name == "leader: ")
                })
            });
        if is_time {
            let distance = i128::from(number) - i128::from(now_ms);
            distance.max(-600_000).hash(hasher);
        } else if before.ends_with("RequestId(") || before.ends_with("last_id: ") {
            (last_id - number.min(last_id)).hash(hasher);
        } else {
            number.hash(hasher);
        }
        at = end;
        run = end;
    }
    text[run..].hash(hasher);
}

fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = &text[text.find(name)? + name.len()..];
    let end = rest.bytes().position(|byte| !byte.is_ascii_digit())?;
    rest[..end].parse().ok()
}

fn peers() -> Vec<(&'static str, Step)> {
    let speaks = |rank, word| Step::Event(Event::PeerSpoke { rank, word });
    vec![
        ("a peer asks", speaks(1, PeerWord::Asks(25_000))),
        ("a peer stops", speaks(1, PeerWord::Stopped)),
        ("a peer has news", speaks(9, PeerWord::News)),
    ]
}

fn wechat() -> Vec<(&'static str, Step)> {
    let replied = |err_msg: &str| {
        Step::Event(Event::BridgeReplied(BridgeReply {
            err_msg: err_msg.into(),
            err_desc: None,
        }))
    };
    vec![
        ("the bridge is ready", Step::Event(Event::BridgeReady)),
        ("the cashier says ok", replied("get_brand_wcpay_request:ok")),
        (
            "the cashier says cancel",
            replied("get_brand_wcpay_request:cancel"),
        ),
        ("the cashier is denied", replied("system:access_denied")),
        (
            "there is no cashier",
            replied("getBrandWCPayRequest:fail_nosupport"),
        ),
        (
            "the mini-program does not open",
            Step::Event(Event::MiniProgramFailed("navigateTo:fail".into())),
        ),
    ]
}

fn read_answers() -> Vec<(&'static str, Step)> {
    let checked = |answer| CheckoutAnswer {
        checked_ms_ago: Some(0),
        ..answer
    };
    let over = CheckoutAnswer {
        remaining_ms: Some(0),
        ..open_order(2)
    };
    let later = Failure::Status {
        status: 503,
        retry_after_ms: Some(1_000),
    };
    let h5 = attempted(2, 2, Product::H5, None);
    vec![
        ("read: open", Step::Answer(open_order(1))),
        (
            "read: open, changed and checked",
            Step::Answer(checked(open_order(2))),
        ),
        ("read: a code", Step::Answer(code_shown(1, 1, CODE))),
        (
            "read: another device's code",
            Step::Answer(code_shown(2, 2, OTHER_CODE)),
        ),
        ("read: another device's h5", Step::Answer(checked(h5))),
        ("read: time is up", Step::Answer(checked(over))),
        ("read: paid", Step::Answer(paid(2))),
        ("read: an old word of paid", Step::Answer(paid(1))),
        ("read: closed", Step::Answer(closed(2))),
        ("read: refused for now", Step::Fail(later)),
        (
            "read: malformed",
            Step::Fail(Failure::Malformed(Malformed::not("state", "is missing"))),
        ),
        (
            "read: expired",
            Step::Fail(refused(ErrorCode::CheckoutExpired, None)),
        ),
    ]
}

fn start_answers(product: Product, after: u64) -> Vec<(&'static str, Step)> {
    let number = (after + 1).min(3);
    let action = |text: &str| match product {
        Product::Native => Action::CodeUrl(text.into()),
        Product::H5 => Action::H5Url(text.into()),
        _ => Action::MiniProgramPath(text.into()),
    };
    let good = match product {
        Product::Native => action(CODE),
        Product::H5 => action(H5_URL),
        Product::Jsapi => Action::Jsapi(pay_parameters()),
        Product::MiniProgram => action(MINI_PROGRAM_PATH),
    };
    let hop = Action::AuthorizeUrl(AUTHORIZE_URL.into());
    let hostile = action("javascript:alert(1)");
    let answer = |action| Step::Answer(attempted(2, number, product, Some(action)));
    let theirs = code_shown(2, 2, OTHER_CODE);
    vec![
        ("start: done", answer(good)),
        ("start: the payer is not known", answer(hop)),
        ("start: a hostile address", answer(hostile)),
        ("start: without an action", Step::Answer(open_order(2))),
        ("start: an older version", Step::Answer(open_order(0))),
        ("start: paid", Step::Answer(paid(2))),
        ("start: closed", Step::Answer(closed(2))),
        (
            "start: superseded",
            Step::Fail(refused(ErrorCode::AttemptSuperseded, Some(theirs))),
        ),
        (
            "start: in doubt",
            Step::Fail(refused(ErrorCode::AttemptInDoubt, None)),
        ),
        (
            "start: refused",
            Step::Fail(refused(ErrorCode::WechatRefused, None)),
        ),
        (
            "start: expired",
            Step::Fail(refused(ErrorCode::CheckoutExpired, None)),
        ),
        ("start: unreachable", Step::Fail(Failure::Unreachable)),
    ]
}

fn cancel_answers() -> Vec<(&'static str, Step)> {
    vec![
        ("cancel: done", Step::Answer(open_order(2))),
        ("cancel: paid", Step::Answer(paid(2))),
        (
            "cancel: not offered",
            Step::Fail(Failure::Status {
                status: 404,
                retry_after_ms: None,
            }),
        ),
    ]
}

fn refused(code: ErrorCode, answer: Option<CheckoutAnswer>) -> Failure {
    Failure::Refused {
        error: ApiError::new(code, "no"),
        answer: answer.map(Box::new),
    }
}

/// Walks on from where an order of events has led to.
#[expect(clippy::print_stdout, reason = "what was covered is the result")]
fn walk(place: &str, user_agent: &str, options: Options, so_far: &[&str]) {
    let depth = std::env::var("CHECKOUT_WALK_DEPTH");
    let depth = depth
        .ok()
        .and_then(|depth| depth.parse().ok())
        .unwrap_or(DEPTH);
    let mut page = Page::new(user_agent, options);
    page.happen(Event::Connected);
    let root = Node {
        page,
        path: Vec::new(),
        paid_told: 0,
        closed_told: 0,
        is_visible: true,
        is_online: true,
        is_destroyed: false,
        is_handheld_wechat: matches!(user_agent, WECHAT | MINI_PROGRAM),
        has_gesture: false,
        has_parameters: false,
    };
    let root = so_far.iter().fold(root, |node, wanted| {
        let mut steps = node.steps().into_iter();
        let (name, step) = steps.find(|(name, _)| name == wanted).expect(wanted);
        node.take(name, step)
    });
    // How many orders of events lead to each state of the present depth.
    let root_key = root.key();
    let mut layer = HashMap::from([(root_key, 1_u128)]);
    let mut waiting = HashMap::from([(root_key, root)]);
    let mut ways_on: HashMap<u64, Vec<u64>> = HashMap::new();
    let (mut orders, mut events) = (0_u128, 0_u64);
    for _ in 0..depth {
        let mut next: HashMap<u64, u128> = HashMap::new();
        for (key, count) in layer {
            if let Some(node) = waiting.remove(&key) {
                let mut ways = Vec::new();
                for (name, step) in node.steps() {
                    events += 1;
                    let reached = node.take(name, step);
                    let reached_key = reached.key();
                    ways.push(reached_key);
                    if !ways_on.contains_key(&reached_key)
                        && reached_key != key
                        && let Entry::Vacant(place) = waiting.entry(reached_key)
                    {
                        place.insert(reached);
                    }
                }
                ways_on.insert(key, ways);
            }
            for way in &ways_on[&key] {
                *next.entry(*way).or_default() += count;
            }
        }
        layer = next;
        orders += layer.values().sum::<u128>();
    }
    let states = ways_on.len() + waiting.len();
    println!(
        "{place}\tafter {so_far:?}\tdepth {depth}\t{states} states\t{events} events taken\t{orders} orders of events"
    );
    assert!(
        states > 100,
        "a walk that goes nowhere proves nothing: {states} states"
    );
}
