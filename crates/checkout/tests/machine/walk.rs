//! The walk: every sequence of everything that can happen, up to a depth, in each kind of
//! environment.
//!
//! States that differ only in when they began count as one state, so the walk visits each state
//! once and counts the sequences that lead through it. All invariants are checked after every
//! event. A broken invariant is reported with a shortest sequence that breaks it.
//!
//! `CHECKOUT_WALK_DEPTH=8 cargo test -p checkout --test machine walk -- --nocapture` goes deeper
//! and prints what it covered.

mod invariants;
mod node;
mod state_key;
mod steps;
mod transitions;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use checkout::{Facts, Injected, Options, ReturnUrl};
use merchant_api::Product;
use node::Node;

use crate::page::{DESKTOP, MINI_PROGRAM, PHONE, QQ, TABLET, WECHAT, WECOM, browser};

/// The depth of the walk in an ordinary test run.
const DEPTH: usize = 4;

#[test]
fn on_a_desktop() {
    let from = |so_far| walk("desktop", browser(DESKTOP), Options::default(), so_far);
    from(&[]);
    from(&["read: open", "start: done"]);
    from(&["read: open", "start: done", "cancel"]);
    from(&["read: open", "start: superseded"]);
    from(&["read: open", "start: unreachable", "woken"]);
}

#[test]
fn on_a_phone() {
    let from = |so_far| walk("phone", browser(PHONE), to_wechat(), so_far);
    from(&[]);
    from(&["read: open", "start", "start: done"]);
    from(&["read: open", "start", "start: done", "hidden", "resumed"]);
}

#[test]
fn on_a_phone_after_a_return() {
    let from = |so_far| walk("return", browser(PHONE), back_from_wechat(), so_far);
    from(&[]);
    from(&["read: open", "check-payment"]);
    from(&["read: open", "report-trouble"]);
}

#[test]
fn in_wechat() {
    let options = Options {
        auto_start: true,
        payer: Some("handle-1".into()),
        ..Options::default()
    };
    let from = |so_far| walk("wechat", with_bridge(WECHAT), options.clone(), so_far);
    from(&[]);
    from(&["read: open", "start: done"]);
    from(&["read: open", "start: done", "the cashier says ok"]);
    from(&["read: open", "start: done", "the cashier says cancel"]);
}

#[test]
fn in_wechat_with_an_unknown_payer_and_a_late_bridge() {
    let options = Options {
        auto_start: true,
        ..Options::default()
    };
    let from = |so_far| walk("unknown payer", browser(WECHAT), options.clone(), so_far);
    from(&[]);
    from(&["read: open", "start: done"]);
}

#[test]
fn in_wechat_after_a_return() {
    let from = |so_far| {
        walk(
            "return to wechat",
            with_bridge(WECHAT),
            back_from_wechat(),
            so_far,
        );
    };
    from(&[]);
    from(&["read: open", "report-trouble"]);
}

#[test]
fn in_wecom() {
    let from = |so_far| walk("wecom", browser(WECOM), Options::default(), so_far);
    from(&[]);
    from(&["read: open", "start", "start: done"]);
    from(&["read: open", "start", "start: the payer is not known"]);
    from(&[
        "read: open",
        "start",
        "start: done",
        "the bridge is ready",
        "there is no cashier",
    ]);
}

#[test]
fn in_wecom_with_the_sdk() {
    let facts = Facts {
        injected: Injected {
            sdk: true,
            ..Injected::default()
        },
        ..browser(WECOM)
    };
    let so_far = &["read: open", "start", "start: done"];
    walk("wecom with the sdk", facts, Options::default(), so_far);
}

#[test]
fn in_a_mini_program() {
    let from = |so_far| {
        walk(
            "mini-program",
            browser(MINI_PROGRAM),
            Options::default(),
            so_far,
        );
    };
    from(&[]);
    from(&["read: open", "start", "start: done"]);
}

#[test]
fn where_two_methods_are_offered() {
    let framed = Facts {
        framed: true,
        ..browser(PHONE)
    };
    walk("tablet", browser(TABLET), to_wechat(), &["read: open"]);
    walk(
        "another app",
        browser(QQ),
        to_wechat(),
        &["read: open", "start"],
    );
    walk(
        "another app that does not leave",
        browser(QQ),
        to_wechat(),
        &["read: open", "start", "start: done", "woken"],
    );
    let so_far = &["read: open", "start-fallback", "start: done"];
    walk("frame", framed, to_wechat(), so_far);
}

#[test]
fn with_a_product_that_the_page_requires() {
    let options = Options {
        product: Some(Product::Native),
        ..to_wechat()
    };
    let from = |so_far| walk("chosen", browser(PHONE), options.clone(), so_far);
    from(&[]);
    from(&["read: open", "start: done", "woken"]);
}

fn to_wechat() -> Options {
    Options {
        return_url: ReturnUrl::parse("https://shop.example/pay"),
        auto_start: true,
        ..Options::default()
    }
}

fn back_from_wechat() -> Options {
    Options {
        returned: true,
        ..to_wechat()
    }
}

fn with_bridge(user_agent: &str) -> Facts {
    Facts {
        injected: Injected {
            bridge: true,
            ..Injected::default()
        },
        ..browser(user_agent)
    }
}

/// Walks on from the state that a sequence of events leads to.
#[expect(clippy::print_stdout, reason = "the coverage is the result")]
fn walk(name: &str, facts: Facts, options: Options, so_far: &[&str]) {
    let depth = std::env::var("CHECKOUT_WALK_DEPTH");
    let depth = depth
        .ok()
        .and_then(|depth| depth.parse().ok())
        .unwrap_or(DEPTH);
    let root = Node::at(facts, options);
    let root = so_far.iter().fold(root, |node, wanted| {
        let mut steps = node.steps().into_iter();
        let (name, step) = steps.find(|(name, _)| name == wanted).expect(wanted);
        node.take(name, step)
    });
    // The number of sequences that lead to each state of the present depth.
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
        "{name}\tafter {so_far:?}\tdepth {depth}\t{states} states\t{events} events\t{orders} sequences of events"
    );
    assert!(states > 100, "the walk reached only {states} states");
}
