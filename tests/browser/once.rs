//! `paid` and `closed` come once for an order and tab: not again where the page is loaded anew, not
//! from a second element of the order, and the way on after a payment does not bounce.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

use crate::stage::Stage;

in_browsers! {
    a_page_that_loads_itself_anew_at_the_end_of_an_order_does_it_once: chromium firefox webkit;
    the_buyer_who_goes_back_from_the_page_of_thanks_is_not_led_there_again: chromium firefox webkit;
}

/// Keeps over the page's loads what it was told, and how often it was loaded.
const KEEP: &str = "sessionStorage.loads = 1 + Number(sessionStorage.loads || 0);
    const keep = (what) => { sessionStorage.told = (sessionStorage.told || '') + what + ' '; };
    addEventListener('state-change', ({detail: {state, first}}) => { if (first !== undefined) keep(state + '=' + first); });
    for (const end of ['paid', 'closed']) addEventListener(end, () => { keep(end); location.reload(); });";

async fn a_page_that_loads_itself_anew_at_the_end_of_an_order_does_it_once(engine: Engine) {
    let stage = Stage::set().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        for end in ["paid", "closed"] {
            let backend = format!(
                "{KEEP} pay.transport = {{
                    start: () => new Promise(() => {{}}),
                    status: () => ({{state: '{end}', order_no: 'ONCE-1', total_fen: 6910, attempt: 0}}),
                }}"
            );
            let token = format!("order-that-is-{end}");
            browser.open(&stage.page_of(&token, &[("script", &backend)])).await;
            // The second load has settled.
            let again = format!("{end}=false ");
            browser
                .until(&format!("(sessionStorage.told || '').endsWith('{again}')"))
                .await;
            assert_eq!(told(browser).await, json!(["2", format!("{end} {end}=true {again}")]));
            // A buyer loads it a third time, and nothing is new then either.
            browser.look("location.reload()", vec![]).await;
            browser
                .until(&format!("sessionStorage.told.endsWith('{again}{again}')"))
                .await;
            browser
                .until(&format!("stateOf('pay') === '{end}'"))
                .await;
            assert_eq!(told(browser).await[0], "3");
            browser.look("sessionStorage.removeItem('told'); sessionStorage.removeItem('loads')", vec![]).await;
        }
        let keys = browser.look("return Object.keys(sessionStorage).sort()", vec![]).await;
        let keys = keys.to_string();
        assert!(keys.contains("wechat-pay:paid:") && !keys.contains("order-that-is"), "{keys}");
    })
    .await;
}

#[tokio::test]
async fn two_elements_of_one_order_tell_it_once_and_both_show_it() {
    let stage = Stage::set().await;
    let token = stage.order().await;
    visit(Visitor::Desktop, async |browser| {
        stage.open(browser, "ready").await;
        listen(browser).await;
        stage.put(browser, "one", &token).await;
        browser.until("stateOf('one') === 'qr'").await;
        stage.put(browser, "two", &token).await;
        browser.until("stateOf('two') === 'qr'").await;
        stage.pay(&token).await;
        browser
            .until("stateOf('one') === 'paid' && stateOf('two') === 'paid'")
            .await;
        let mut told = ends(browser).await;
        told.sort_unstable();
        assert_eq!(told, ["paid", "state-change false", "state-change true"]);

        // A third that comes later tells nothing new.
        stage.put(browser, "three", &token).await;
        browser.until("stateOf('three') === 'paid'").await;
        assert_eq!(ends(browser).await[3..], ["state-change false"]);
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn where_storage_is_refused_or_emptied_the_page_itself_remembers() {
    let refuse = "Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('no', 'SecurityError'); }})";
    let empty = "addEventListener('paid', () => sessionStorage.clear())";
    let stage = Stage::set().await;
    visit(Visitor::Desktop, async |browser| {
        for way in [refuse, empty] {
            stage.open(browser, "ready").await;
            browser.look(way, vec![]).await;
            listen(browser).await;
            for id in ["one", "two"] {
                show_paid(browser, id, "order-in-a-closed-room").await;
            }
            let told = ["paid", "state-change true", "state-change false"];
            assert_eq!(ends(browser).await, told, "{way}");
        }
    })
    .await;
}

#[tokio::test]
async fn orders_whose_tokens_begin_alike_are_told_each() {
    let stage = Stage::set().await;
    visit(Visitor::Desktop, async |browser| {
        stage.open(browser, "ready").await;
        listen(browser).await;
        for token in ["order-2026-0001", "order-2026-0002", "order-2026-00011"] {
            show_paid(browser, token, token).await;
        }
        let told = ["paid", "state-change true"].repeat(3);
        assert_eq!(ends(browser).await, told);
    })
    .await;
}

async fn the_buyer_who_goes_back_from_the_page_of_thanks_is_not_led_there_again(engine: Engine) {
    let stage = Stage::set().await;
    let token = stage.order().await;
    let thanks = format!("{}/ready/bare?thanks", stage.servers.stage);
    visit_in(engine, Visitor::Desktop, async |browser| {
        let cart = format!("{}/ready/bare?cart", stage.servers.stage);
        browser.open(&cart).await;
        browser
            .open(&stage.page_of(&token, &[("success-url", &thanks)]))
            .await;
        browser.until("stateOf('pay') === 'qr'").await;
        stage.pay(&token).await;
        browser.until_at("bare?thanks").await;
        browser.back().await;
        browser.until("document.readyState === 'complete'").await;
        assert_eq!(browser.address().await.as_str(), cart);
    })
    .await;
}

/// The way on leads out of a frame with the whole page, as it did before.
#[tokio::test]
async fn the_page_of_thanks_replaces_the_whole_page_of_an_element_in_a_frame() {
    let stage = Stage::set().await;
    let token = stage.order().await;
    let thanks = format!("{}/ready/bare?thanks", stage.servers.stage);
    visit(Visitor::Desktop, async |browser| {
        stage.open(browser, "ready").await;
        let frame = "const frame = document.createElement('iframe');
            frame.src = arguments[0];
            document.body.prepend(frame)";
        let page = stage.page_of(&token, &[("success-url", &thanks)]);
        browser.look(frame, vec![json!(page)]).await;
        browser.until("frames[0]?.stateOf?.('pay') === 'qr'").await;
        stage.pay(&token).await;
        browser.until_at("bare?thanks").await;
        let in_frame = browser.look("return window !== top", vec![]).await;
        assert_eq!(in_frame, json!(false));
    })
    .await;
}

/// How often the page was loaded, and what it was told.
async fn told(browser: &Browser) -> Value {
    let script = "return [sessionStorage.loads, sessionStorage.told]";
    browser.look(script, vec![]).await
}

/// Keeps the ends of orders that this page is told of.
async fn listen(browser: &Browser) {
    let script = "window.ends = [];
        addEventListener('paid', () => ends.push('paid'));
        addEventListener('state-change', ({detail: {state, first}}) => {
            if (state === 'paid') ends.push('state-change ' + first);
        })";
    browser.look(script, vec![]).await;
}

async fn ends(browser: &Browser) -> Vec<String> {
    let told = browser.look("return ends", vec![]).await;
    let told = told.as_array().into_iter().flatten();
    told.filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// Puts an element on the page whose backend says that its order is paid, and waits until it shows
/// that.
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
