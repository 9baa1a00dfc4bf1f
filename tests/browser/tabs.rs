//! Windows of one browser at one order: one of them asks for all, and when it goes another does.

use std::time::{Duration, Instant};

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::wait::until;
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::plain_backend::{PlainBackend, until_asked};
use crate::stage::Stage;

in_browsers! {
    two_windows_ask_as_one_and_both_learn_that_it_is_paid: chromium firefox webkit;
    when_the_window_that_asks_is_closed_the_other_asks_on: chromium firefox webkit;
}

async fn two_windows_ask_as_one_and_both_learn_that_it_is_paid(engine: Engine) {
    let stage = Stage::set().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let windows = open_both(&stage, browser).await;
        let leader = until_one_asks_for_both(&stage.plain).await;
        let follower = NAMES[usize::from(leader == NAMES[0])];
        let asked = stage.plain.questions_of(follower);
        stage.plain.pay();
        for window in &windows {
            browser.turn_to(window).await;
            browser.until("stateOf('pay') === 'paid'").await;
            let heard = browser.look("return heard", vec![]).await;
            assert_eq!(heard, json!(["pay paid"]));
        }
        // What one window tells another is a hint: it is believed after a question of its own.
        assert_eq!(stage.plain.questions_of(follower), asked + 1);
    })
    .await;
}

async fn when_the_window_that_asks_is_closed_the_other_asks_on(engine: Engine) {
    let stage = Stage::set().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let windows = open_both(&stage, browser).await;
        let leader = until_one_asks_for_both(&stage.plain).await;
        let is_first = leader == NAMES[0];
        let (closing, staying) = if is_first { (0, 1) } else { (1, 0) };
        let asked = stage.plain.questions_of(NAMES[staying]);
        browser.turn_to(&windows[closing]).await;
        browser.close_window(&windows[staying]).await;
        // Its word is trusted for 30 s: whoever takes over in less was told that it is gone.
        until_asked(&stage.plain, NAMES[staying], asked + 3).await;
        stage.plain.pay();
        browser.until("stateOf('pay') === 'paid'").await;
    })
    .await;
}

/// A window that is killed says nothing. Its word is trusted until its last question would have
/// ended, half a minute at most; the buyer who turns to the other window does not wait that long.
#[tokio::test]
async fn when_the_window_that_asks_is_killed_the_other_asks_when_the_buyer_turns_to_it() {
    let stage = Stage::set().await;
    visit_in(Engine::Chromium, Visitor::Desktop, async |browser| {
        let windows = open_both(&stage, browser).await;
        let leader = until_one_asks_for_both(&stage.plain).await;
        let (killed, left) = if leader == NAMES[0] { (0, 1) } else { (1, 0) };
        browser.turn_to(&windows[killed]).await;
        let asked = stage.plain.questions_of(NAMES[left]);
        browser.kill_page().await;
        let asked_before = stage.plain.questions_of(leader);
        stage.plain.pay();
        assert_eq!(stage.plain.questions_of(NAMES[left]), asked);
        browser.turn_to(&windows[left]).await;
        let since = Instant::now();
        browser
            .look("window.dispatchEvent(new Event('focus'))", vec![])
            .await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(stage.plain.questions_of(leader), asked_before, "it is dead");
        // Far below the half minute, and far above what a question takes.
        assert!(since.elapsed() < Duration::from_secs(15));
    })
    .await;
}

const NAMES: [&str; 2] = ["first", "second"];

/// Two windows with an element each, at the same order.
async fn open_both(stage: &Stage, browser: &Browser) -> [fantoccini::wd::WindowHandle; 2] {
    let first = browser.window().await;
    stage.open(browser, "ready").await;
    stage.put_asking(browser, NAMES[0]).await;
    browser.until("stateOf('pay') === 'qr'").await;
    let second = browser.open_window().await;
    stage.open(browser, "ready").await;
    stage.put_asking(browser, NAMES[1]).await;
    browser.until("stateOf('pay') === 'qr'").await;
    [first, second]
}

/// Waits until one window has asked several times while the other has not, and names it.
async fn until_one_asks_for_both(backend: &PlainBackend) -> &'static str {
    let count = || NAMES.map(|name| backend.questions_of(name));
    let mut before = count();
    until("one window to ask for both", async || {
        let now = count();
        match (now[0] - before[0], now[1] - before[1]) {
            (4.., 0) => Ok(NAMES[0]),
            (0, 4..) => Ok(NAMES[1]),
            one @ ((0, _) | (_, 0)) => Err(format!("{one:?}")),
            both => {
                before = now;
                Err(format!("{both:?}"))
            }
        }
    })
    .await
}
