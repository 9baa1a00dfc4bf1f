//! The plan of a chaos run, drawn from the seed before anything begins: the same seed gives the same plan.
//! Only how the processes interleave differs from run to run.

pub(crate) mod sharing;

use fastrand::Rng;
use serde_json::{Value, json};

use self::sharing::SharingPlan;

/// The whole chaos.
pub(crate) struct Plan {
    /// Each order's story.
    pub(crate) orders: Vec<OrderPlan>,
    /// The fault sets, each with the number of begun orders from which it applies.
    pub(crate) fault_sets: Vec<FaultSet>,
    /// When a merchant server is killed, in order.
    pub(crate) kills: Vec<Kill>,
    /// When WeChat is killed, in order.
    pub(crate) wechat_kills: Vec<Kill>,
    /// When the database server is stopped, in order; a file has no server.
    pub(crate) database_restarts: Vec<Kill>,
    /// WeChat issues a new platform certificate after each of these numbers of begun orders.
    pub(crate) rotations: Vec<usize>,
    /// When no receiver of a share gets its part, in seconds of the run's time: how long until then, and
    /// how long it lasts.
    pub(crate) share_failures: Vec<(u32, u32)>,
}

/// The kind of merchant that a merchant server takes money for; the chaos run has one server of each
/// kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    /// The server takes money for its own merchant, and verifies WeChat by platform certificates.
    Direct,
    /// The server takes money for a sub-merchant (服务商), and verifies WeChat by the public key.
    Partner,
    /// The server takes money for its own merchant by version 2 of WeChat's API.
    Older,
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::Direct, Self::Partner, Self::Older];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Partner => "partner",
            Self::Older => "older",
        }
    }
}

/// The plan of one order.
#[derive(Clone, Debug)]
pub(crate) struct OrderPlan {
    /// The server that the order is created at.
    pub(crate) mode: Mode,
    /// The order's number at the merchant.
    pub(crate) order_no: String,
    /// The price in fen.
    pub(crate) total_fen: u64,
    /// How long the order can be paid.
    pub(crate) expires_in_s: u32,
    /// Whether the shop knows its buyer's openid.
    pub(crate) has_openid: bool,
    /// The buyer's address, as the shop's proxy forwards it.
    pub(crate) address: String,
    /// The actions of the buyer and the shop.
    pub(crate) story: Story,
    /// The order's refunds, after the payment.
    pub(crate) refunds: Vec<RefundPlan>,
    /// Its profit sharing; `None`: the order is not made for it.
    pub(crate) sharing: Option<SharingPlan>,
    /// The seed of everything that is decided while the story runs.
    pub(crate) seed: u64,
}

/// The actions of the buyer and the shop for one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Story {
    /// Starts and pays.
    Pays(Product),
    /// Turns back in the cashier, or the bank declines; then pays.
    PaysAtSecondTry(Product),
    /// Cancels the attempt, starts again and pays.
    StartsOver(Product),
    /// Moves from the desk to the phone, perhaps moves back, and pays at the last device.
    Moves {
        /// Whether the desk takes over again.
        comes_back: bool,
    },
    /// Starts on two devices at the same moment; a device that gets a link pays it.
    TwoDevices,
    /// Pays the phone's attempt, and the money of the desk's attempt arrives as well.
    PaysTwice,
    /// The money arrives after the order is over.
    PaysLate,
    /// Looks at the page, perhaps starts, and leaves.
    NeverPays,
    /// The shop closes the order, while nothing happens or while the buyer pays.
    ShopCloses {
        /// Whether the buyer pays at that moment.
        races: bool,
    },
    /// The till scans the buyer's code (付款码).
    AtTheTill(AtTheTill),
}

/// The reaction of a buyer whose code was scanned, if WeChat requires a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtTheTill {
    /// The buyer types the password.
    Types,
    /// The buyer types the password, and the bank declines the first time.
    IsDeclined,
    /// The buyer puts the phone away the first time, so that the payment is taken back.
    Hesitates,
    /// The buyer opens the page instead, and types the password at the same moment.
    GoesToThePage,
    /// The buyer never types the password.
    WalksAway,
}

/// The products that the chaos run pays by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    Native,
    H5,
    Jsapi,
    /// The mini-program's page starts it with its `wx.login` code.
    MiniProgram,
    /// The shop's backend starts the payment.
    App,
}

impl Product {
    pub(crate) const ALL: [Self; 5] = [
        Self::Native,
        Self::H5,
        Self::Jsapi,
        Self::MiniProgram,
        Self::App,
    ];
    /// The products with which a buyer who was at a desk continues on a phone.
    pub(crate) const ON_PHONES: [Self; 4] = [Self::H5, Self::Jsapi, Self::MiniProgram, Self::App];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::H5 => "h5",
            Self::Jsapi => "jsapi",
            Self::MiniProgram => "mini_program",
            Self::App => "app",
        }
    }
}

/// The plan of one refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefundPlan {
    /// How long after the payment, or after the refund before.
    pub(crate) after_s: u32,
    /// The refund's amount.
    pub(crate) amount: RefundAmount,
    /// Whether the refund is made in WeChat's portal, without our server.
    pub(crate) in_portal: bool,
    /// Its outcome at WeChat.
    pub(crate) outcome: Outcome,
}

/// The outcome of a refund at WeChat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The buyer has the money.
    Success,
    /// WeChat closes the refund.
    Closed,
    /// The buyer's account does not accept the refund. The shop sends it another way, or leaves it.
    Abnormal(Option<AnotherWay>),
}

/// Where the money of an abnormal refund goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnotherWay {
    /// The buyer's bank card.
    UserBankCard,
    /// The merchant's bank card; the merchant then pays the buyer directly.
    MerchantBankCard,
}

/// The amount of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundAmount {
    /// A percentage of the price, at least one fen.
    Percent(u64),
    /// The amount that is not refunded yet.
    Rest,
    /// More than was paid; the refund must be refused.
    TooMuch,
}

/// Faults that apply for a part of the chaos run.
#[derive(Clone, Debug)]
pub(crate) struct FaultSet {
    /// The number of begun orders from which the faults apply.
    pub(crate) from_order: usize,
    /// The simulator's rules.
    pub(crate) rules: Value,
}

/// One `kill -9`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    /// The server to kill; it has no meaning if WeChat or the database is killed.
    pub(crate) mode: Mode,
    /// The number of begun orders after which the kill happens.
    pub(crate) from_order: usize,
    /// The pause after that, in milliseconds.
    pub(crate) pause_ms: u64,
    /// How long the server stays down, in milliseconds.
    pub(crate) down_ms: u64,
    /// If set, the server is killed once more this long after its restart, in milliseconds.
    pub(crate) again_after_ms: Option<u64>,
}

/// Orders under one set of faults.
const FAULT_SET_ORDERS: usize = 40;

impl Plan {
    /// Draws a chaos run.
    pub(crate) fn draw(orders: usize, kills: usize, seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        // Each part has its own random stream, so that more orders do not change the kills.
        let (mut of_orders, mut of_faults, mut of_kills) = (dice.fork(), dice.fork(), dice.fork());
        let mut of_wechat = dice.fork();
        let mut of_database = dice.fork();
        let (mut of_sharing, mut of_share_faults) = (dice.fork(), dice.fork());
        let mut of_share_failures = dice.fork();
        Self {
            orders: (0..orders)
                .map(|place| {
                    let order = order(&mut of_orders, seed, place);
                    // Each order draws, so that the mode of one does not change the sharing of the next.
                    let sharing = sharing::draw(&mut of_sharing);
                    OrderPlan {
                        sharing: sharing.filter(|_| order.mode != Mode::Older),
                        ..order
                    }
                })
                .collect(),
            fault_sets: (0..=orders.div_ceil(FAULT_SET_ORDERS))
                .map(|place| FaultSet {
                    from_order: (place * FAULT_SET_ORDERS).min(orders),
                    rules: [
                        fault_sets(&mut of_faults, &faults()),
                        fault_sets(&mut of_share_faults, &sharing::faults()),
                    ]
                    .concat()
                    .into(),
                })
                .collect(),
            kills: draw_kills(&mut of_kills, orders, kills),
            wechat_kills: draw_outages(&mut of_wechat, orders, (kills / 5).max(1)),
            database_restarts: draw_outages(&mut of_database, orders, (kills / 3).max(2)),
            rotations: vec![orders / 2],
            share_failures: sharing::draw_failures(&mut of_share_failures),
        }
    }
}

fn order(dice: &mut Rng, seed: u64, place: usize) -> OrderPlan {
    let mode = match dice.u32(0..5) {
        0 => Mode::Partner,
        1 => Mode::Older,
        _ => Mode::Direct,
    };
    let story = story(dice);
    let product_knows_payer = dice.bool();
    let prices: &[u64] = match story {
        // Half of these amounts require a password.
        Story::AtTheTill(_) => &[99, 6910, 100_000, 888_800],
        _ => &[1, 2, 99, 1990, 6910, 20_000, 888_800],
    };
    OrderPlan {
        mode,
        order_no: format!("S{seed:x}-{place:06}"),
        total_fen: *pick(dice, prices) + dice.u64(0..50),
        expires_in_s: match story {
            Story::PaysLate | Story::NeverPays => dice.u32(60..300),
            _ => dice.u32(300..1800),
        },
        has_openid: product_knows_payer,
        address: format!("203.0.113.{}", dice.u8(1..255)),
        story,
        refunds: refunds(dice, mode),
        sharing: None,
        seed: dice.u64(..),
    }
}

fn story(dice: &mut Rng) -> Story {
    let product = *pick(dice, &Product::ALL);
    match dice.u32(0..100) {
        0..10 => Story::AtTheTill(*pick(
            dice,
            &[
                AtTheTill::Types,
                AtTheTill::IsDeclined,
                AtTheTill::Hesitates,
                AtTheTill::GoesToThePage,
                AtTheTill::WalksAway,
            ],
        )),
        10..42 => Story::Pays(product),
        42..49 => Story::PaysAtSecondTry(product),
        49..57 => Story::StartsOver(product),
        57..69 => Story::Moves {
            comes_back: dice.bool(),
        },
        69..76 => Story::TwoDevices,
        76..82 => Story::PaysTwice,
        82..87 => Story::PaysLate,
        87..93 => Story::NeverPays,
        _ => Story::ShopCloses { races: dice.bool() },
    }
}

fn refunds(dice: &mut Rng, mode: Mode) -> Vec<RefundPlan> {
    let after_s = dice.u32(1..120);
    let outcome = match dice.u32(0..12) {
        0 => Outcome::Closed,
        1 => Outcome::Abnormal(None),
        2 => Outcome::Abnormal(Some(AnotherWay::UserBankCard)),
        3 => Outcome::Abnormal(Some(AnotherWay::MerchantBankCard)),
        _ => Outcome::Success,
    };
    let one = |amount, in_portal| RefundPlan {
        after_s,
        amount,
        in_portal,
        outcome,
    };
    // The simulator's portal notifies only one server.
    let has_portal = mode == Mode::Direct;
    let rest = RefundPlan {
        after_s: 61,
        amount: RefundAmount::Rest,
        in_portal: false,
        outcome: Outcome::Success,
    };
    match dice.u32(0..100) {
        0..60 => Vec::new(),
        60..78 => vec![one(RefundAmount::Rest, false)],
        78..85 => vec![one(RefundAmount::Percent(dice.u64(1..60)), false)],
        85..92 => vec![one(RefundAmount::Percent(dice.u64(1..60)), false), rest],
        92..95 => vec![
            one(RefundAmount::Percent(dice.u64(1..60)), has_portal),
            rest,
        ],
        95..97 => vec![one(RefundAmount::Rest, has_portal)],
        _ => vec![one(RefundAmount::TooMuch, false), rest],
    }
}

fn draw_kills(dice: &mut Rng, orders: usize, kills: usize) -> Vec<Kill> {
    let mut drawn = Vec::new();
    let mut struck = 0;
    while struck < kills {
        let again_after_ms = (struck + 1 < kills && dice.u32(0..4) == 0).then(|| dice.u64(5..900));
        struck += 1 + usize::from(again_after_ms.is_some());
        drawn.push(Kill {
            mode: match dice.u32(0..4) {
                0 => Mode::Partner,
                1 => Mode::Older,
                _ => Mode::Direct,
            },
            // The kills are spread over the run, and none comes after the last order has begun.
            from_order: orders * struck / (kills + 1),
            pause_ms: dice.u64(0..400),
            down_ms: dice.u64(0..600),
            again_after_ms,
        });
    }
    drawn
}

fn draw_outages(dice: &mut Rng, orders: usize, count: usize) -> Vec<Kill> {
    let kill = |place: usize| Kill {
        mode: Mode::Direct,
        from_order: orders * (2 * place + 1) / (2 * count),
        pause_ms: dice.u64(0..400),
        down_ms: dice.u64(0..2_000),
        again_after_ms: None,
    };
    (0..count).map(kill).collect()
}

/// No faults, faults at many routes, or one route that hardly works.
fn fault_sets(dice: &mut Rng, faults: &[Fault]) -> Vec<Value> {
    let mut rules = Vec::new();
    let (rate, share) = match dice.u32(0..10) {
        0 => (0.0, 0),
        1..8 => (0.12, 40),
        _ => (0.3, 60),
    };
    for (route, kind) in faults {
        if dice.u32(0..100) < share {
            rules.push(rule(dice, route, kind, rate));
        }
    }
    if dice.u32(0..4) == 0 {
        let (route, kind) = *pick(dice, faults);
        rules.push(rule(dice, route, kind, 0.8));
    }
    rules
}

fn rule(dice: &mut Rng, route: &str, kind: &str, rate: f64) -> Value {
    let mut rule = json!({
        "route": route, "kind": kind, "rate": rate * dice.f64(), "seed": dice.u32(..),
    });
    match kind {
        "latency" => rule["delay_ms"] = dice.u32(20..500).into(),
        // Mostly a gateway that gives up; rarely a gateway that outlasts our own patience.
        "timeout_after" => {
            rule["delay_ms"] = (*pick(dice, &[100, 300, 600, 11_000])).into();
            if rule["delay_ms"] == 11_000 {
                rule["count"] = 1.into();
            }
        }
        "late" => rule["seconds"] = dice.u32(60..1200).into(),
        "reordered" => rule["seconds"] = dice.u32(2..60).into(),
        "refused" => rule["code"] = "NOT_ENOUGH".into(),
        "clock_skew" => rule["seconds"] = (*pick(dice, &[-400, 400, 3600])).into(),
        _ => {}
    }
    rule
}

/// Routes of WeChat that the merchant server calls during the run, without those of profit sharing. Bills
/// are requested after it.
const ROUTES: [&str; 8] = [
    "order",
    "query",
    "close",
    "reverse",
    "refund",
    "refund_query",
    "abnormal_refund",
    "certificates",
];
/// The faults that can happen at each of these routes.
const KINDS: [&str; 9] = [
    "latency",
    "too_many_requests",
    "error_before",
    "error_after",
    "timeout_after",
    "accepted",
    "wrong_signature",
    "signtest",
    "clock_skew",
];
/// The faults that can happen at one route only, and those of notifications. Of the refusals that
/// WeChat documents, only the merchant's lack of money is here: the others mean a wrong program or
/// a wrong configuration.
const ELSEWHERE: [(&str, &str); 11] = [
    ("close", "close_lies"),
    ("refund", "refused"),
    ("notification", "latency"),
    ("notification", "dropped"),
    ("notification", "repeated"),
    ("notification", "reordered"),
    ("notification", "tampered"),
    ("notification", "late"),
    ("notification", "wrong_signature"),
    ("notification", "signtest"),
    ("notification", "clock_skew"),
];

/// A route and a kind of fault.
type Fault = (&'static str, &'static str);

/// Every fault at every route that the merchant server calls, but those of profit sharing.
fn faults() -> Vec<Fault> {
    everywhere(&ROUTES).chain(ELSEWHERE).collect()
}

/// The faults that can happen at each of these routes.
fn everywhere(routes: &[&'static str]) -> impl Iterator<Item = Fault> {
    routes
        .iter()
        .flat_map(|route| KINDS.map(|kind| (*route, kind)))
}

/// Picks one of them.
pub(crate) fn pick<'a, T>(dice: &mut Rng, among: &'a [T]) -> &'a T {
    &among[dice.usize(..among.len())]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_plan_and_another_seed_another() {
        let shown = |seed| {
            let Plan {
                orders,
                fault_sets,
                kills,
                wechat_kills,
                database_restarts,
                rotations,
                share_failures,
            } = Plan::draw(300, 20, seed);
            format!(
                "{orders:?} {fault_sets:?} {kills:?} {wechat_kills:?} {database_restarts:?} {rotations:?} {share_failures:?}"
            )
        };
        assert_eq!(shown(7), shown(7));
        assert_ne!(shown(7), shown(8));
    }

    #[test]
    fn every_fault_of_the_simulator_is_injected_at_every_route_that_the_server_calls() {
        let control =
            include_str!("../../crates/wechat-pay-simulator/goldens/control-openapi.json");
        let control: Value = serde_json::from_str(control).unwrap();
        let words = |field: &str| -> BTreeSet<String> {
            let words = &control["components"]["schemas"]["FaultRule"]["properties"][field]["enum"];
            let words = words.as_array().unwrap().iter();
            words
                .map(|word| word.as_str().unwrap().to_owned())
                .collect()
        };
        let faults = [faults(), sharing::faults()].concat();
        let thrown_at: BTreeSet<_> = faults
            .iter()
            .map(|(route, _)| (*route).to_owned())
            .collect();
        // Bills are requested after the run.
        let not_gone_to = ["*", "bill", "bill_file"].map(str::to_owned).into();
        assert_eq!(&words("route") - &not_gone_to, thrown_at);
        let thrown: BTreeSet<_> = faults.iter().map(|(_, kind)| (*kind).to_owned()).collect();
        assert_eq!(words("kind"), thrown);
    }

    #[test]
    fn every_story_every_refund_and_every_fault_occurs() {
        let plan = Plan::draw(10_000, 100, 1);
        let stories: Vec<_> = plan.orders.iter().map(|order| order.story).collect();
        for product in Product::ALL {
            assert!(stories.contains(&Story::Pays(product)));
        }
        for mode in Mode::ALL {
            assert!(plan.orders.iter().any(|order| order.mode == mode));
            assert!(plan.kills.iter().any(|kill| kill.mode == mode));
        }
        for buyer in [AtTheTill::Types, AtTheTill::GoesToThePage] {
            assert!(stories.contains(&Story::AtTheTill(buyer)));
        }
        for amount in [RefundAmount::Rest, RefundAmount::TooMuch] {
            let refunds = plan.orders.iter().flat_map(|order| &order.refunds);
            assert!(refunds.into_iter().any(|refund| refund.amount == amount));
        }
        let rules: Vec<_> = plan
            .fault_sets
            .iter()
            .flat_map(|fault_sets| fault_sets.rules.as_array().unwrap())
            .collect();
        for (route, kind) in [faults(), sharing::faults()].concat() {
            assert!(
                rules
                    .iter()
                    .any(|rule| rule["route"] == route && rule["kind"] == kind),
                "{route} {kind}"
            );
        }
        let strikes = plan
            .kills
            .iter()
            .map(|kill| 1 + usize::from(kill.again_after_ms.is_some()));
        assert_eq!(strikes.sum::<usize>(), 100);
        assert_eq!((plan.wechat_kills.len(), plan.rotations.len()), (20, 1));
        assert_eq!(plan.database_restarts.len(), 33);
    }
}
