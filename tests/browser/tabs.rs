//! Windows of one browser with the same order: one polls for all, and another continues when it is
//! gone.

use std::time::{Duration, Instant};

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::wait::until;
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::plain_backend::{PlainBackend, until_polled};
use crate::test_pages::TestPages;

in_browsers! {
    two_windows_share_one_poller_and_both_show_the_payment: chromium firefox webkit;
    when_the_polling_window_is_closed_the_other_polls_on: chromium firefox webkit;
}

async fn two_windows_share_one_poller_and_both_show_the_payment(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let windows = open_both(&pages, browser).await;
        let leader = until_one_polls_for_both(&pages.plain).await;
        let follower = NAMES[usize::from(leader == NAMES[0])];
        let asked = pages.plain.polls_of(follower);
        pages.plain.pay();
        for window in &windows {
            browser.switch_to(window).await;
            browser.until("stateOf('pay') === 'paid'").await;
            let heard = browser.look("return heard", vec![]).await;
            assert_eq!(heard, json!(["pay paid"]));
        }
        // A window's message is a hint: the other window polls before it believes it.
        assert_eq!(pages.plain.polls_of(follower), asked + 1);
    })
    .await;
}

async fn when_the_polling_window_is_closed_the_other_polls_on(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let windows = open_both(&pages, browser).await;
        let leader = until_one_polls_for_both(&pages.plain).await;
        let is_first = leader == NAMES[0];
        let (closing, staying) = if is_first { (0, 1) } else { (1, 0) };
        let asked = pages.plain.polls_of(NAMES[staying]);
        browser.switch_to(&windows[closing]).await;
        browser.close_window(&windows[staying]).await;
        // A message is trusted for 30 s. A window that takes over earlier has received a message
        // that the other window is closed.
        until_polled(&pages.plain, NAMES[staying], asked + 3).await;
        pages.plain.pay();
        browser.until("stateOf('pay') === 'paid'").await;
    })
    .await;
}

/// A killed window sends nothing. Its last message is trusted until its last poll would have ended,
/// half a minute at most; a buyer who turns to the other window does not wait that long.
#[tokio::test]
async fn when_the_polling_window_is_killed_the_other_polls_when_the_buyer_turns_to_it() {
    let pages = TestPages::start().await;
    visit_in(Engine::Chromium, Visitor::Desktop, async |browser| {
        let windows = open_both(&pages, browser).await;
        let leader = until_one_polls_for_both(&pages.plain).await;
        let (killed, left) = if leader == NAMES[0] { (0, 1) } else { (1, 0) };
        browser.switch_to(&windows[killed]).await;
        let asked = pages.plain.polls_of(NAMES[left]);
        browser.kill_page().await;
        let polls_before = pages.plain.polls_of(leader);
        pages.plain.pay();
        assert_eq!(pages.plain.polls_of(NAMES[left]), asked);
        browser.switch_to(&windows[left]).await;
        let since = Instant::now();
        browser
            .look("window.dispatchEvent(new Event('focus'))", vec![])
            .await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(
            pages.plain.polls_of(leader),
            polls_before,
            "the window is killed"
        );
        // Far below the half minute, and far above the duration of a poll.
        assert!(since.elapsed() < Duration::from_secs(15));
    })
    .await;
}

const NAMES: [&str; 2] = ["first", "second"];

/// Two windows with an element each, for the same order.
async fn open_both(pages: &TestPages, browser: &Browser) -> [fantoccini::wd::WindowHandle; 2] {
    let first = browser.window().await;
    pages.open(browser, "ready").await;
    pages.put_asking(browser, NAMES[0]).await;
    browser.until("stateOf('pay') === 'qr'").await;
    let second = browser.open_window().await;
    pages.open(browser, "ready").await;
    pages.put_asking(browser, NAMES[1]).await;
    browser.until("stateOf('pay') === 'qr'").await;
    [first, second]
}

/// Waits until one window has polled several times while the other has not, and returns its name.
async fn until_one_polls_for_both(backend: &PlainBackend) -> &'static str {
    let count = || NAMES.map(|name| backend.polls_of(name));
    let mut before = count();
    until("one window to poll for both", async || {
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
