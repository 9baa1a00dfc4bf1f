//! Orders and attempts under any order of events: devices and a till that start and cancel, buyers
//! who pay in time, late, or twice, banks that refuse a payment, refunds meanwhile, closing.
//!
//! After each event: at most one attempt is alive; at most one attempt has settled the order; the
//! backend got one webhook for that payment; one number has one body; a paid order stays paid. At
//! the end the ledger has all money that WeChat took: one payment settled the order, each other
//! payment is surplus and was refunded, and no number at WeChat can still be paid. All of it is
//! tried for a merchant that sells for itself, and for a service provider.

use std::collections::BTreeMap;

use bytes::Bytes;
use merchant_server::Clock as _;
use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use serde_json::{Value, json};

use super::{How, Subject, hold};
use crate::test_server::{
    API_KEY, MINUTE_MS, Owner, SentNotification, TestServer, backend, merchant, sign,
};

const BACK: (&str, &str) = ("return_url", "http://127.0.0.1:8000/pay");
const PRODUCTS: &str = r#"products = ["native", "h5", "jsapi", "code_pay"]"#;

#[test]
fn in_any_order_of_events_an_order_is_fulfilled_once_and_no_payment_is_lost() {
    hold::<Orders>();
}

/// The observations so far, with which each new observation is compared.
struct Orders {
    owner: Owner,
    token: String,
    total_fen: u64,
    /// The code that the till scanned last.
    auth_code: String,
    /// The one body with which each number was ordered.
    bodies: BTreeMap<String, Bytes>,
    version: u64,
    is_paid: bool,
}

#[derive(Clone, Debug)]
enum Step {
    /// A device starts an attempt; `has_looked`: it has seen the current attempt.
    Start {
        product: &'static str,
        has_looked: bool,
    },
    /// A second tab, or a repeated call: requests the attempt that is under way again.
    StartAgain,
    /// The till scans a code, or repeats its call with the last code.
    Scan { has_looked: bool, again: bool },
    /// A device cancels the attempt that it sees.
    Cancel,
    /// The backend closes the order.
    Close,
    /// A buyer pays one of the attempts so far; `late` also where WeChat closed it.
    Pay {
        place: prop::sample::Index,
        late: bool,
    },
    /// A buyer's bank refuses the payment.
    Fail { place: prop::sample::Index },
    /// The backend requests a refund.
    Refund { number: u8 },
    /// A page has the server query WeChat.
    Ask,
}

impl Subject for Orders {
    /// The kind of merchant, and the price: a till's payment of 1000 yuan needs a password, a
    /// smaller payment succeeds at once.
    type Setting = (Owner, u64);
    type Step = Step;

    const CASES: u32 = 64;
    const KINDS: &[&str] = &["order", "query", "close", "reverse", "refund"];
    const HOWS: &[How] = &[How::AnswerLost, How::NotSent, How::Unsigned500];
    const TIMES_MS: &[u64] = &[1, 2_000, 6_000, 30_000, 5 * MINUTE_MS, 31 * MINUTE_MS];

    fn settings() -> BoxedStrategy<(Owner, u64)> {
        let total_fen = prop::sample::select(vec![1990, 100_000]);
        (prop::sample::select(&Owner::BOTH[..]), total_fen).boxed()
    }

    fn steps() -> BoxedStrategy<Step> {
        let product = prop::sample::select(vec!["native", "h5", "jsapi"]);
        let place = any::<prop::sample::Index>;
        prop_oneof![
            5 => (product, prop::bool::weighted(0.75))
                .prop_map(|(product, has_looked)| Step::Start { product, has_looked }),
            2 => Just(Step::StartAgain),
            3 => (any::<bool>(), any::<bool>())
                .prop_map(|(has_looked, again)| Step::Scan { has_looked, again }),
            1 => Just(Step::Cancel),
            1 => Just(Step::Close),
            8 => (place(), prop::bool::weighted(0.75))
                .prop_map(|(place, late)| Step::Pay { place, late }),
            1 => place().prop_map(|place| Step::Fail { place }),
            1 => (0..2_u8).prop_map(|number| Step::Refund { number }),
            1 => Just(Step::Ask),
        ]
        .boxed()
    }

    async fn begin((owner, total_fen): &(Owner, u64)) -> (TestServer, Self) {
        let server = TestServer::open_configured(&owner.configuration(PRODUCTS, "")).await;
        let appid = merchant()["appid"].as_str().unwrap().to_owned();
        let order = json!({
            "order_no": "tea-0001", "total_fen": total_fen, "description": "一壶茶",
            "payer": {"openid": server.simulator.openid(&appid)},
            "scene_info": {
                "payer_client_ip": "10.0.0.9", "device_id": "till", "store_info": {"id": "0001"},
            },
        });
        let orders = Self {
            owner: *owner,
            token: server.order(order).await,
            total_fen: *total_fen,
            auth_code: server.shown_code().await,
            bodies: BTreeMap::new(),
            version: 0,
            is_paid: false,
        };
        (server, orders)
    }

    async fn take(&mut self, server: &TestServer, step: &Step) {
        let path = format!("/v1/checkouts/{}", self.token);
        let current = server.get(&path).await.number("attempt");
        match step {
            Step::Start {
                product,
                has_looked,
            } => {
                let after = if *has_looked { current } else { 0 }.to_string();
                let form = [("product", *product), BACK, ("after", &*after)];
                check(&server.attempt(&self.token, &form).await);
            }
            Step::StartAgain => {
                let shown = server.shown("/tea-0001").await.json;
                let last = shown["attempts"]
                    .as_array()
                    .and_then(|attempts| attempts.last());
                let product = last.and_then(|attempt| attempt["product"].as_str());
                if let Some(product @ ("native" | "h5" | "jsapi")) = product {
                    let form = [("product", product), BACK];
                    check(&server.attempt(&self.token, &form).await);
                }
            }
            Step::Scan { has_looked, again } => {
                if !*again {
                    self.auth_code = server.shown_code().await;
                }
                let scan = json!({
                    "product": "code_pay", "auth_code": self.auth_code,
                    "after": if *has_looked { current } else { 0 },
                });
                check(&server.backend_attempt("tea-0001", &scan).await);
            }
            Step::Cancel => {
                let seen = current.to_string();
                let cancel = format!("{path}/cancel");
                server.form(&cancel, &[("after", &*seen)]).await;
            }
            Step::Close => {
                let close = backend("/v1/orders/tea-0001/close", API_KEY, "");
                server.send(close).await;
            }
            Step::Pay { place, late } => visit(server, place, "success", *late).await,
            Step::Fail { place } => visit(server, place, "fail", false).await,
            Step::Refund { number } => {
                let body = json!({
                    "refund_no": format!("R-{number}"), "amount_fen": self.total_fen / 2,
                });
                let asked = backend("/v1/orders/tea-0001/refunds", API_KEY, body.to_string());
                server.send(asked).await;
            }
            Step::Ask => {
                server.get(&format!("{path}?ask=1")).await;
            }
        }
    }

    /// Delivers one try of WeChat, signed at the time of the try.
    async fn hear(&self, server: &TestServer, notification: &SentNotification) {
        let notification = sign(notification.body.clone(), server.clock.now_ms());
        server.deliver_to(notification.path(), &notification).await;
    }

    async fn look(&mut self, server: &TestServer) {
        for sent in server.wechat.take_sent() {
            if sent.kind == "order" {
                let is_partners = sent.path.contains("/partner/");
                assert_eq!(is_partners, self.owner == Owner::Provider, "{}", sent.path);
                let body: Value = serde_json::from_slice(&sent.body).unwrap();
                let number = body["out_trade_no"].as_str().unwrap().to_owned();
                let first = self.bodies.entry(number).or_insert(sent.body.clone());
                assert_eq!(*first, sent.body, "one number, one body");
            }
        }
        let order = server.shown("/tea-0001").await.json;
        let states = states(&order);
        let count = |wanted: &[&str]| {
            let found = states.values().filter(|state| wanted.contains(&&***state));
            found.count()
        };
        assert!(count(&["prepared", "open"]) <= 1, "{states:?}");
        assert!(count(&["paid"]) <= 1, "{states:?}");
        let is_paid = order["state"] == "paid";
        assert_eq!(count(&["paid"]) == 1, is_paid, "{order}");
        assert!(is_paid || !self.is_paid, "what is paid stays paid");
        assert_eq!(told_of_payment(server).await, usize::from(is_paid));
        let version = order["version"].as_u64().unwrap();
        assert!(version >= self.version, "a version never falls");
        self.is_paid = is_paid;
        self.version = version;
    }

    async fn settle(&mut self, server: &TestServer, notifications: &[SentNotification]) {
        for _ in 0..8 {
            server.later(10 * MINUTE_MS).await;
            // WeChat repeats a notification until it is accepted.
            for notification in notifications {
                self.hear(server, notification).await;
            }
            self.look(server).await;
        }
    }

    async fn agree(&self, server: &TestServer) {
        assert_eq!(server.mismatches().await, []);
        let order = server.shown("/tea-0001").await.json;
        assert_ne!(order["state"], "open", "{order}");
        let states = states(&order);
        let here: Vec<_> = states
            .iter()
            .filter(|(_, state)| ["paid", "surplus"].contains(&&***state))
            .map(|(number, _)| number.clone())
            .collect();
        let mut there = Vec::new();
        for number in self.bodies.keys() {
            match server.trade_state(number).as_deref() {
                Some("SUCCESS" | "REFUND") => there.push(number.clone()),
                None | Some("CLOSED" | "REVOKED") => {}
                Some(other) => panic!("{number} is left {other}: {order}"),
            }
        }
        assert_eq!(here, there, "{order}");
        self.money_went_back(server, &states);
    }
}

impl Orders {
    /// All surplus payments were refunded in full, and no other payment more than its amount.
    fn money_went_back(&self, server: &TestServer, states: &BTreeMap<String, String>) {
        let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
        for (number, state) in states {
            let refunds = ledger["refunds"].as_array().unwrap().iter();
            let back: u64 = refunds
                .filter(|refund| refund["out_trade_no"] == **number)
                .map(|refund| refund["refund"].as_u64().unwrap())
                .sum();
            match &**state {
                "surplus" => assert_eq!(back, self.total_fen, "{number} is surplus"),
                "paid" => assert!(back <= self.total_fen, "{number}: {back}"),
                state => assert_eq!(back, 0, "{number} is {state}"),
            }
        }
    }
}

/// A buyer visits the cashier of one of the attempts so far.
async fn visit(server: &TestServer, place: &prop::sample::Index, outcome: &str, late: bool) {
    let shown = server.shown("/tea-0001").await.json;
    let attempts = shown["attempts"].as_array().unwrap();
    if attempts.is_empty() {
        return;
    }
    let number = place.get(attempts)["out_trade_no"].as_str().unwrap();
    let mut visit = server.visit(number, outcome);
    visit["late"] = late.into();
    server.simulate("pay", &visit).await;
}

/// The codes with which the start of an attempt may be refused.
fn check(answer: &crate::test_server::Answer) {
    let known = [
        "",
        "ATTEMPT_SUPERSEDED",
        "ATTEMPT_IN_DOUBT",
        "WECHAT_UNAVAILABLE",
        "CHECKOUT_EXPIRED",
    ];
    // The code is used or too old.
    let wechat_code = answer.json["error"]["wechat_code"].as_str();
    let is_old_code = matches!(wechat_code, Some("AUTHCODEEXPIRE" | "AUTH_CODE_INVALID"));
    assert!(
        known.contains(&answer.code()) || is_old_code,
        "{}",
        answer.json
    );
}

/// The number of `payment.succeeded` webhooks for the order.
async fn told_of_payment(server: &TestServer) -> usize {
    let list = server.read_private("/v1/webhooks").await.json;
    let webhooks = list["webhooks"].as_array().unwrap().iter();
    webhooks
        .filter(|webhook| webhook["type"] == "payment.succeeded")
        .count()
}

/// The state of each attempt, by its number at WeChat.
fn states(order: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let attempts = order["attempts"].as_array().unwrap().iter();
    attempts
        .map(|attempt| (text(&attempt["out_trade_no"]), text(&attempt["state"])))
        .collect()
}
