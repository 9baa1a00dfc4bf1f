//! The first request is sent while the widget loads. At a desk it is the attempt itself; anywhere
//! else, and in any doubt, it only reads. There is one attempt, never two.

use payment_tests::browser::{Visitor, visit_in};
use payment_tests::wait::until;
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::embedding::in_framework;
use crate::plain_backend::until_started;
use crate::test_pages::{TestPages, at_rest, bare};

in_browsers! {
    at_a_desk_the_code_is_requested_while_the_widget_loads_and_only_once: chromium firefox webkit;
    where_there_is_any_doubt_the_first_request_only_reads: chromium firefox webkit;
    another_devices_attempt_is_left_alone: chromium firefox webkit;
    reacts_strict_mode_requests_one_code: chromium firefox webkit;
    an_element_that_is_taken_out_and_put_back_at_once_requests_one_code: chromium firefox webkit;
    another_token_before_the_widget_is_there_drops_the_first_request: chromium firefox webkit;
    an_element_that_leaves_while_its_first_answer_is_awaited_leaves_nothing_behind: chromium firefox webkit;
}

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const WECHAT_OF_A_PC: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 MicroMessenger/7.0.20.1781(0x6700143B) WindowsWechat";

async fn at_a_desk_the_code_is_requested_while_the_widget_loads_and_only_once(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        let page = pages.page_of(&token, &[]).replace("/ready/", "/held/");
        browser.open(&page).await;
        let attempts = format!("POST /v1/checkouts/{token}/attempts");
        until_requested(&pages, &token, &attempts).await;
        // Moved, and called, before the widget is there.
        let moving = "document.getElementById('right-side').append(pay); return pay.start()";
        assert_eq!(browser.look(moving, vec![]).await, json!(true));
        pages.release();
        browser.until("stateOf('pay') === 'qr'").await;
        let requests = pages.requests_about(&token);
        assert_eq!(requests[0], attempts, "{requests:?}");
        // Everything after it is a long poll.
        let is_long_poll = |line: &String| line.starts_with("GET") && line.contains("wait=");
        assert!(requests[1..].iter().all(is_long_poll), "{requests:?}");
        assert_eq!(pages.servers.wechat.trade_states(), ["NOTPAY"]);
        pages.pay(&token).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn where_there_is_any_doubt_the_first_request_only_reads(engine: Engine) {
    let pages = TestPages::start().await;
    let user_agent = |text| ("user-agent", text);
    let mark = "sessionStorage.setItem('wechat-pay:away:1', '1')";
    visit_in(engine, Visitor::Desktop, async |browser| {
        for (name, value) in [
            user_agent(IPHONE),
            user_agent(WECHAT_OF_A_PC),
            ("scene", "h5"),
            ("scene", "of-a-later-version"),
            ("wechat_pay_return", "1"),
            ("wechat_pay_payer", "handle"),
            ("script", mark),
        ] {
            let token = pages.order().await;
            let page = pages.page_of(&token, &[(name, value)]);
            browser.open(&page.replace("/ready/", "/held/")).await;
            let read = format!("GET /v1/checkouts/{token}");
            until_requested(&pages, &token, &read).await;
            assert_eq!(pages.requests_about(&token), [read], "{name} {value}");
            browser.look("sessionStorage.clear()", vec![]).await;
        }
        // What the machine would not send, or not there.
        for (name, value) in [
            ("token", "short"),
            ("merchant-api", ""),
            ("script", "pay.transport = {}"),
            (
                "script",
                "Object.defineProperty(document, 'hidden', {get: () => true})",
            ),
            (
                "script",
                "Object.defineProperty(navigator, 'onLine', {get: () => false})",
            ),
        ] {
            let token = pages.order().await;
            let page = pages.page_of(&token, &[(name, value)]);
            browser.open(&page.replace("/ready/", "/held/")).await;
            browser
                .until("pay.shadowRoot && left().fetches === 1")
                .await;
            assert_eq!(pages.requests_about(&token), [""; 0], "{name} {value}");
        }
    })
    .await;
}

async fn another_devices_attempt_is_left_alone(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order_of_buyer().await;
    let of_phone = pages.servers.attempt(&token, "jsapi").await;
    assert_eq!(of_phone["attempt"], 1, "{of_phone}");
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser.open(&pages.page_of(&token, &[])).await;
        browser.until("stateOf('pay') === 'elsewhere'").await;
        let checkout = pages.servers.checkout(&token).await;
        assert_eq!(
            (&checkout["attempt"], &checkout["product"]),
            (&json!(1), &json!("jsapi"))
        );
        assert_eq!(pages.servers.wechat.trade_states(), ["NOTPAY"]);
        assert_eq!(browser.look("return heard", vec![]).await, json!([]));
        // The buyer brings it here.
        browser.click_in("#pay", "[data-intent='take-over']").await;
        browser.until("stateOf('pay') === 'qr'").await;
    })
    .await;
}

async fn reacts_strict_mode_requests_one_code(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for way in ["reactElement", "reactEffect"] {
            let token = pages.order().await;
            pages.open(browser, "ready").await;
            in_framework(&pages, browser, way, &token).await;
            browser.until("stateOf('pay') === 'qr'").await;
            assert_eq!(pages.posts_about(&token), 1, "{way}");
        }
    })
    .await;
}

async fn an_element_that_is_taken_out_and_put_back_at_once_requests_one_code(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        // Before and after the turns in which the element begins and leaves.
        for back in [
            "queueMicrotask(back); pay.remove()",
            "pay.remove(); queueMicrotask(back)",
            "pay.remove(); back()",
        ] {
            let token = pages.order().await;
            let order = json!([token, pages.merchant_api()]);
            let script = format!(
                "{{
                const place = document.getElementById('left-side');
                const pay = make('pay', ...{order});
                const back = () => place.replaceChildren(pay);
                place.replaceChildren(pay); {back}
                }}"
            );
            browser.run_in_page(&script).await;
            let shows = format!("pay.token === '{token}' && stateOf('pay') === 'qr'");
            browser.until(&shows).await;
            assert_eq!(pages.posts_about(&token), 1, "{back}");
        }
    })
    .await;
}

async fn another_token_before_the_widget_is_there_drops_the_first_request(engine: Engine) {
    let pages = TestPages::start().await;
    let (before, after) = (pages.order().await, pages.order().await);
    visit_in(engine, Visitor::Desktop, async |browser| {
        let page = pages.page_of(&before, &[]).replace("/ready/", "/held/");
        browser.open(&page).await;
        until_requested(&pages, &before, "POST").await;
        browser
            .look("pay.token = arguments[0]", vec![json!(after)])
            .await;
        until_requested(&pages, &after, "POST").await;
        pages.release();
        browser.until("stateOf('pay') === 'qr'").await;
        pages.pay(&after).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(
            (pages.posts_about(&before), pages.posts_about(&after)),
            (1, 1)
        );
        // Nothing but the dropped request is about the first order.
        assert_eq!(pages.requests_about(&before).len(), 1);
    })
    .await;
}

async fn an_element_that_leaves_while_its_first_answer_is_awaited_leaves_nothing_behind(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let is_at_rest = at_rest(&bare(browser).await);
        pages.plain.hold();
        pages.put_asking(browser, "held").await;
        browser.until("stateOf('pay') === 'loading'").await;
        until_started(&pages.plain, "held").await;
        browser.look("pay.remove()", vec![]).await;
        browser.until(&is_at_rest).await;
        assert_eq!(pages.plain.polls_of("held"), 0);
    })
    .await;
}

/// Waits until the merchant server has received a request about the order that begins like this.
async fn until_requested(pages: &TestPages, token: &str, beginning: &str) {
    until(beginning, async || {
        let requests = pages.requests_about(token);
        let is_there = requests.iter().any(|line| line.starts_with(beginning));
        is_there.then_some(()).ok_or(format!("{requests:?}"))
    })
    .await;
}
