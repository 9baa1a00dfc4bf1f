//! `paid` and `closed` are emitted once for an order and tab: not again after a reload, not by a
//! second element of the order; and the navigation after a payment does not repeat.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::test_pages::TestPages;

in_browsers! {
    a_page_that_reloads_itself_at_the_end_of_an_order_does_it_once: chromium firefox webkit;
    a_buyer_who_goes_back_from_the_success_page_is_not_sent_there_again: chromium firefox webkit;
    two_elements_of_one_order_emit_its_end_once_and_both_show_it: chromium firefox webkit;
    without_session_storage_the_page_itself_remembers: chromium firefox webkit;
    orders_with_similar_tokens_are_reported_separately: chromium firefox webkit;
    the_success_page_replaces_the_whole_page_of_a_framed_element: chromium firefox webkit;
}

/// Records over the page's loads which events came, and how often the page was loaded.
const KEEP: &str = "sessionStorage.loads = 1 + Number(sessionStorage.loads || 0);
    const keep = (what) => { sessionStorage.reported = (sessionStorage.reported || '') + what + ' '; };
    addEventListener('state-change', ({detail: {state, first}}) => { if (first !== undefined) keep(state + '=' + first); });
    for (const end of ['paid', 'closed']) addEventListener(end, () => { keep(end); location.reload(); });";

async fn a_page_that_reloads_itself_at_the_end_of_an_order_does_it_once(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for end in ["paid", "closed"] {
            let backend = format!(
                "{KEEP} pay.transport = {{
                    start: () => new Promise(() => {{}}),
                    status: () => ({{state: '{end}', order_no: 'ONCE-1', total_fen: 6910, attempt: 0}}),
                }}"
            );
            let token = format!("order-that-is-{end}");
            browser.open(&pages.page_of(&token, &[("script", &backend)])).await;
            // The second load is finished.
            let again = format!("{end}=false ");
            browser
                .until(&format!("(sessionStorage.reported || '').endsWith('{again}')"))
                .await;
            assert_eq!(reported(browser).await, json!(["2", format!("{end} {end}=true {again}")]));
            // The buyer reloads the page a third time, and there is no new event.
            browser.look("location.reload()", vec![]).await;
            browser
                .until(&format!("sessionStorage.reported.endsWith('{again}{again}')"))
                .await;
            browser
                .until(&format!("stateOf('pay') === '{end}'"))
                .await;
            assert_eq!(reported(browser).await[0], "3");
            browser.look("sessionStorage.removeItem('reported'); sessionStorage.removeItem('loads')", vec![]).await;
        }
        let keys = browser.look("return Object.keys(sessionStorage).sort()", vec![]).await;
        let keys = keys.to_string();
        assert!(keys.contains("wechat-pay:paid:") && !keys.contains("order-that-is"), "{keys}");
    })
    .await;
}

async fn two_elements_of_one_order_emit_its_end_once_and_both_show_it(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        listen(browser).await;
        pages.put(browser, "one", &token).await;
        browser.until("stateOf('one') === 'qr'").await;
        pages.put(browser, "two", &token).await;
        browser.until("stateOf('two') === 'qr'").await;
        pages.pay(&token).await;
        browser
            .until("stateOf('one') === 'paid' && stateOf('two') === 'paid'")
            .await;
        let mut reported = ends(browser).await;
        reported.sort_unstable();
        assert_eq!(
            reported,
            ["paid", "state-change false", "state-change true"]
        );

        // A third element emits nothing new.
        pages.put(browser, "three", &token).await;
        browser.until("stateOf('three') === 'paid'").await;
        assert_eq!(ends(browser).await[3..], ["state-change false"]);
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn without_session_storage_the_page_itself_remembers(engine: Engine) {
    let refuse = "Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('no', 'SecurityError'); }})";
    let empty = "addEventListener('paid', () => sessionStorage.clear())";
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for way in [refuse, empty] {
            pages.open(browser, "ready").await;
            browser.look(way, vec![]).await;
            listen(browser).await;
            for id in ["one", "two"] {
                show_paid(browser, id, "order-in-a-closed-room").await;
            }
            let reported = ["paid", "state-change true", "state-change false"];
            assert_eq!(ends(browser).await, reported, "{way}");
        }
    })
    .await;
}

async fn orders_with_similar_tokens_are_reported_separately(engine: Engine) {
    let pages = TestPages::start().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        listen(browser).await;
        for token in ["order-2026-0001", "order-2026-0002", "order-2026-00011"] {
            show_paid(browser, token, token).await;
        }
        let reported = ["paid", "state-change true"].repeat(3);
        assert_eq!(ends(browser).await, reported);
    })
    .await;
}

async fn a_buyer_who_goes_back_from_the_success_page_is_not_sent_there_again(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    let thanks = format!("{}/ready/bare?thanks", pages.servers.stage);
    visit_in(engine, Visitor::Desktop, async |browser| {
        let cart = format!("{}/ready/bare?cart", pages.servers.stage);
        browser.open(&cart).await;
        browser
            .open(&pages.page_of(&token, &[("success-url", &thanks)]))
            .await;
        browser.until("stateOf('pay') === 'qr'").await;
        pages.pay(&token).await;
        browser.until_at("bare?thanks").await;
        browser.back().await;
        browser.until("document.readyState === 'complete'").await;
        assert_eq!(browser.address().await.as_str(), cart);
    })
    .await;
}

/// The navigation after a payment leaves a frame with the whole page.
async fn the_success_page_replaces_the_whole_page_of_a_framed_element(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    let thanks = format!("{}/ready/bare?thanks", pages.servers.stage);
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let frame = "const frame = document.createElement('iframe');
            frame.src = arguments[0];
            document.body.prepend(frame)";
        let page = pages.page_of(&token, &[("success-url", &thanks)]);
        browser.look(frame, vec![json!(page)]).await;
        browser.until("frames[0]?.stateOf?.('pay') === 'qr'").await;
        pages.pay(&token).await;
        browser.until_at("bare?thanks").await;
        let in_frame = browser.look("return window !== top", vec![]).await;
        assert_eq!(in_frame, json!(false));
    })
    .await;
}

/// How often the page was loaded, and the events that it received.
async fn reported(browser: &Browser) -> Value {
    let script = "return [sessionStorage.loads, sessionStorage.reported]";
    browser.look(script, vec![]).await
}

/// Records the ends of orders that this page receives.
async fn listen(browser: &Browser) {
    let script = "window.ends = [];
        addEventListener('paid', () => ends.push('paid'));
        addEventListener('state-change', ({detail: {state, first}}) => {
            if (state === 'paid') ends.push('state-change ' + first);
        })";
    browser.look(script, vec![]).await;
}

async fn ends(browser: &Browser) -> Vec<String> {
    let reported = browser.look("return ends", vec![]).await;
    let reported = reported.as_array().into_iter().flatten();
    reported
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// Puts an element on the page whose backend reports its order as paid, and waits until the element
/// shows it.
async fn show_paid(browser: &Browser, id: &str, token: &str) {
    let script = "const [id, token] = arguments;
        const element = make(id, token, undefined);
        element.transport = {
            start: () => new Promise(() => {}),
            status: () => ({state: 'paid', order_no: token, total_fen: 6910, attempt: 0}),
        };
        document.getElementById('left-side').append(element)";
    browser.look(script, vec![json!(id), json!(token)]).await;
    browser.until(&format!("stateOf('{id}') === 'paid'")).await;
}
