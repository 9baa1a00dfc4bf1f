//! The element's behaviour inside other people's pages: in frameworks, set before it is defined,
//! loaded twice, changed while it works.

use payment_tests::browser::{Browser, Visitor, visit_in};
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::test_pages::{TestPages, at_rest, bare, left};

in_browsers! {
    reacts_strict_mode_starts_one_payment_and_new_objects_start_no_other: chromium firefox webkit;
    a_view_that_vue_keeps_alive_pauses_and_continues: chromium firefox webkit;
    properties_set_before_the_script_has_loaded_are_used: chromium firefox webkit;
    an_element_in_the_shops_shadow_root_pays_and_its_events_reach_the_document: chromium firefox webkit;
    an_effect_that_strict_mode_runs_twice_starts_one_payment: chromium firefox webkit;
    a_second_copy_of_the_script_changes_and_loads_nothing: chromium firefox webkit;
    style_and_language_change_while_the_payment_continues: chromium firefox webkit;
    a_destroyed_element_stays_empty_and_leaves_nothing: chromium firefox webkit;
    telemetry_reports_how_long_each_step_took: chromium firefox webkit;
}

async fn reacts_strict_mode_starts_one_payment_and_new_objects_start_no_other(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let is_at_rest = at_rest(&bare(browser).await);
        in_framework(&pages, browser, "reactElement", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let mark =
            "window.base = document.getElementById('pay').shadowRoot.querySelector('[part~=base]')";
        browser.look(mark, vec![]).await;
        browser.look("framework.render('en')", vec![]).await;
        // The language changes at once, in the existing view.
        browser
            .until("base.isConnected && base.lang === 'en'")
            .await;
        assert_eq!(starts(&pages, &token), 1);
        pages.pay(&token).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(
            browser.look("return heard", vec![]).await,
            json!(["pay paid"])
        );
        browser.look("framework.unmount()", vec![]).await;
        browser.until(&is_at_rest).await;
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

/// A shop's own component may hold the element in its shadow root: the element's events reach the
/// document, with the component as their target.
async fn an_element_in_the_shops_shadow_root_pays_and_its_events_reach_the_document(
    engine: Engine,
) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let bare = bare(browser).await;
        let put = "const shop = Object.assign(document.createElement('div'), {id: 'shop'});
            shop.attachShadow({mode: 'open'}).append(make('pay', ...arguments));
            window.inShop = (selector) => shop.shadowRoot.getElementById('pay').shadowRoot?.querySelector(selector);
            document.getElementById('left-side').append(shop)";
        let arguments = vec![json!(token), json!(pages.merchant_api())];
        browser.look(put, arguments).await;
        browser.until("inShop('[data-state=qr] [part~=qr]')").await;
        // The element's style sheet applies, and the shop's does not.
        let looks = "return [getComputedStyle(inShop('[part~=base]')).maxWidth, inShop('[part~=qr]').getBoundingClientRect().width > 100]";
        assert_eq!(browser.look(looks, vec![]).await, json!(["420px", true]));
        pages.pay(&token).await;
        browser.until("inShop('[data-state=paid]')").await;
        let heard = browser.look("return heard", vec![]).await;
        assert_eq!(heard, json!(["shop paid"]));
        browser.look("document.getElementById('shop').remove()", vec![]).await;
        browser.until(&at_rest(&bare)).await;
        assert_eq!(left(browser).await["listeners"], bare["listeners"]);
        assert_eq!(starts(&pages, &token), 1);
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn an_effect_that_strict_mode_runs_twice_starts_one_payment(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        // With the widget loaded, only the element itself can hold the first start back.
        pages.put(browser, "warm", &pages.order().await).await;
        browser.until("stateOf('warm') === 'qr'").await;
        in_framework(&pages, browser, "reactEffect", &token).await;
        browser
            .until("effects === 2 && stateOf('pay') === 'qr'")
            .await;
        assert_eq!(starts(&pages, &token), 1);
        pages.pay(&token).await;
        browser.until("stateOf('pay') === 'paid'").await;
        assert_eq!(
            browser.look("return heard", vec![]).await,
            json!(["pay paid"])
        );
    })
    .await;
}

async fn a_view_that_vue_keeps_alive_pauses_and_continues(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let is_at_rest = at_rest(&bare(browser).await);
        in_framework(&pages, browser, "vueKeepAlive", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        browser.look("framework.show(false)", vec![]).await;
        browser.until(&is_at_rest).await;
        browser.look("framework.show(true)", vec![]).await;
        browser.until("stateOf('pay') === 'qr'").await;
        pages.pay(&token).await;
        browser.until("stateOf('pay') === 'paid'").await;
        for shown in [false, true] {
            browser
                .look("framework.show(arguments[0])", vec![json!(shown)])
                .await;
        }
        browser.until("stateOf('pay') === 'paid'").await;
        // `paid` is emitted once, although the element has read it twice.
        assert_eq!(
            browser.look("return heard", vec![]).await,
            json!(["pay paid"])
        );
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn properties_set_before_the_script_has_loaded_are_used(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        browser
            .open(&format!("{}/ready/bare", pages.servers.stage))
            .await;
        pages.put(browser, "early", &token).await;
        browser
            .look("early.messages = {scan: 'QR を読み取ってください'}", vec![])
            .await;
        load(browser, "wechat-pay.js").await;
        browser.until("stateOf('early') === 'qr'").await;
        let own = "Object.keys(document.getElementById('early')).includes('token')";
        let is_own = browser.look(&format!("return {own}"), vec![]).await;
        assert_eq!(is_own, json!(false), "the property reaches the class");
        let text = browser.element_text().await;
        assert!(text.contains("QR を読み取ってください"), "{text}");
    })
    .await;
}

async fn a_second_copy_of_the_script_changes_and_loads_nothing(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        browser
            .run_in_page("window.first = customElements.get('wechat-pay')")
            .await;
        load(browser, "../dist/wechat-pay.js").await;
        pages.put(browser, "pay", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        browser
            .run_in_page("window.isFirst = first === customElements.get('wechat-pay')")
            .await;
        assert_eq!(browser.look("return isFirst", vec![]).await, json!(true));
        let loads = "return performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('.wasm')).length";
        assert_eq!(browser.look(loads, vec![]).await, json!(1));
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn style_and_language_change_while_the_payment_continues(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        pages.put(browser, "pay", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let set = "Object.assign(document.getElementById('pay'), {locale: 'en', theme: 'dark', messages: {scan: 'Scan me'}})";
        browser.look(set, vec![]).await;
        let base = "document.getElementById('pay').shadowRoot.querySelector('[part~=base]')";
        browser
            .until(&format!("{base}.lang === 'en' && {base}.dataset.theme === 'dark'"))
            .await;
        let text = browser.element_text().await;
        assert!(text.contains("Scan me") && text.contains("CN¥69.10"), "{text}");
        assert_eq!(starts(&pages, &token), 1);
    })
    .await;
}

async fn a_destroyed_element_stays_empty_and_leaves_nothing(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let is_at_rest = at_rest(&bare(browser).await);
        pages.put(browser, "pay", &token).await;
        browser.until("stateOf('pay') === 'qr'").await;
        let destroy = "const pay = document.getElementById('pay'); pay.destroy(); pay.destroy(); pay.locale = 'en'; pay.scene = 'native'; document.getElementById('right-side').append(pay)";
        browser.look(destroy, vec![]).await;
        browser
            .until(&format!("{is_at_rest} && pay.shadowRoot.childElementCount === 0"))
            .await;
        let left = left(browser).await;
        assert_eq!(left["listeners"].as_array().map(Vec::len), Some(2), "{left}");
        assert_eq!(browser.look("return [pay.start(), pay.resume()]", vec![]).await, json!([false, false]));
        assert_eq!(starts(&pages, &token), 1);
        assert_eq!(browser.complaints().await, [""; 0]);
    })
    .await;
}

async fn telemetry_reports_how_long_each_step_took(engine: Engine) {
    let pages = TestPages::start().await;
    let token = pages.order().await;
    visit_in(engine, Visitor::Desktop, async |browser| {
        pages.open(browser, "ready").await;
        let listen = "window.marks = []; document.addEventListener('telemetry', ({detail}) => marks.push(detail))";
        browser.look(listen, vec![]).await;
        pages.put(browser, "pay", &token).await;
        browser.until("marks.some(({mark}) => mark === 'qr-shown')").await;
        let marks_json = browser.look("return marks", vec![]).await;
        let marks: Vec<&str> = marks_json.as_array().into_iter().flatten().filter_map(|mark| mark["mark"].as_str()).collect();
        for mark in ["loaded", "ready", "scene-decided", "qr-shown", "state-change"] {
            assert!(marks.contains(&mark), "{marks:?}");
        }
        let times: Vec<f64> = marks_json.as_array().into_iter().flatten().filter_map(|mark| mark["elapsed_ms"].as_f64()).collect();
        assert!(times.len() == marks.len() && times.is_sorted() && times[0] >= 0.0, "{times:?}");
    })
    .await;
}

/// Loads the frameworks and puts an element called `pay` into the page with one of them.
pub(crate) async fn in_framework(pages: &TestPages, browser: &Browser, way: &str, token: &str) {
    let script = "const [way, token, merchantApi] = arguments;
        import('./frameworks.js').then((frameworks) => {
            window.framework = frameworks[way](document.getElementById('left-side'), 'pay', token, merchantApi);
        })";
    let arguments = vec![json!(way), json!(token), json!(pages.merchant_api())];
    browser.look(script, arguments).await;
    browser.until("!!window.framework").await;
}

/// Loads a script as a page does, and waits for it.
pub(crate) async fn load(browser: &Browser, address: &str) {
    let script = "const script = Object.assign(document.createElement('script'), {type: 'module', src: arguments[0]});
        script.onload = () => { window.isLoaded = true; };
        document.head.append(script)";
    browser.look(script, vec![json!(address)]).await;
    browser.until("window.isLoaded").await;
}

fn starts(pages: &TestPages, token: &str) -> usize {
    let requests = pages.requests_about(token);
    requests
        .iter()
        .filter(|line| line.starts_with("POST"))
        .count()
}
