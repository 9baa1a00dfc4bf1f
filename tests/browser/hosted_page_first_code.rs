//! The merchant server's own page that brings the code along: the code can be scanned before any
//! script runs, and the element takes it over in place.

use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::scanner::scan;
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::{Value, json};

in_browsers! {
    a_buyer_without_script_scans_the_code_that_the_page_brings_along: chromium firefox;
    a_code_can_be_scanned_without_the_element_and_taken_as_paid: chromium firefox webkit;
    the_element_takes_the_code_over_and_starts_nothing: chromium firefox webkit;
}

/// Neither the element's script nor its WebAssembly is there.
async fn a_code_can_be_scanned_without_the_element_and_taken_as_paid(engine: Engine) {
    let servers = Servers::start_with_bundle(None).await;
    let token = order(&servers, "FIRST-0001").await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        open(&servers, desk, &token).await;
        must_scan(&servers, desk, &token).await;
        servers
            .wechat
            .pay(&servers.checkout(&token).await["code_url"])
            .await;
        desk.until("!!document.querySelector('.mark.good')").await;
        assert_eq!(attempts_asked_for(&servers), [""; 0]);
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
    })
    .await;
}

async fn the_element_takes_the_code_over_and_starts_nothing(engine: Engine) {
    let servers = Servers::start().await;
    let token = order(&servers, "FIRST-0002").await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        open(&servers, desk, &token).await;
        desk.until_element_is(&["qr"]).await;
        desk.until("!!document.querySelector('wechat-pay > .served[slot=fallback]')")
            .await;
        must_scan(&servers, desk, &token).await;
        // After a reload, the same code is there and is taken over again.
        open(&servers, desk, &token).await;
        desk.until_element_is(&["qr"]).await;
        must_scan(&servers, desk, &token).await;
        assert_eq!(servers.checkout(&token).await["attempt"], 1);
        assert_eq!(attempts_asked_for(&servers), [""; 0]);
        servers
            .wechat
            .pay(&servers.checkout(&token).await["code_url"])
            .await;
        desk.until_element_is(&["paid"]).await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

async fn a_buyer_without_script_scans_the_code_that_the_page_brings_along(engine: Engine) {
    let servers = Servers::start().await;
    let token = order(&servers, "FIRST-0003").await;
    visit_in(engine, Visitor::DesktopWithoutScript, async |desk| {
        open(&servers, desk, &token).await;
        must_scan(&servers, desk, &token).await;
        servers
            .wechat
            .pay(&servers.checkout(&token).await["code_url"])
            .await;
        desk.click("form[action$='/check'] button").await;
        desk.until("document.querySelector('.mark.good')").await;
        assert_eq!(servers.wechat.trade_states(), ["SUCCESS"]);
    })
    .await;
}

/// Each frame is recorded from the first one with a code on, in a narrow window too. What moves is measured until the order
/// is paid.
#[tokio::test]
async fn the_code_stays_from_its_first_frame_on_and_nothing_moves_until_the_receipt() {
    let servers = Servers::start().await;
    for visitor in [Visitor::Desktop, Visitor::SmallDesktop] {
        let order_no = format!("FIRST-{visitor:?}");
        let token = order(&servers, &order_no).await;
        visit(visitor, async |desk| {
            let recorder = json!({ "source": RECORDER });
            desk.command("Page.addScriptToEvaluateOnNewDocument", recorder)
                .await;
            open(&servers, desk, &token).await;
            desk.until_element_is(&["qr"]).await;
            desk.until("record.at(-1)?.by === 'element'").await;
            let record = desk.look("return {frames: record, shifts}", vec![]).await;
            nothing_moved(&record["frames"], &record);
            assert_eq!(record["shifts"], json!([]), "{record:#}");
            servers
                .wechat
                .pay(&servers.checkout(&token).await["code_url"])
                .await;
            desk.until_element_is(&["paid"]).await;
            // Two frames, so that a shift is measured.
            let frames = "requestAnimationFrame(() => requestAnimationFrame(arguments[0]))";
            desk.look_and_wait(frames, vec![]).await;
            let shifts = desk.look("return shifts", vec![]).await;
            assert_eq!(shifts, json!([]));
        })
        .await;
    }
}

/// A browser may paint a document while it still arrives: the server's card grows at its end, and
/// what is painted stays where it is. Then the element takes the whole card over, in one frame.
fn nothing_moved(frames: &Value, record: &Value) {
    let frames = frames.as_array().expect("frames");
    let (element, server) = frames.split_last().expect("a frame");
    let taken_over = places(element);
    assert_eq!(element["by"], "element", "{record:#}");
    assert_eq!(server.last().map(places), Some(taken_over), "{record:#}");
    for frame in server {
        let painted = places(frame);
        assert_eq!(frame["by"], "server", "{record:#}");
        assert!(painted.iter().any(is_code), "{record:#}");
        assert!(taken_over.starts_with(painted), "{record:#}");
    }
}

fn places(frame: &Value) -> &[Value] {
    frame["places"].as_array().expect("places")
}

fn is_code(place: &Value) -> bool {
    place
        .as_str()
        .is_some_and(|place| place.starts_with("svg "))
}

/// Remembers what is in view, from the first code on, whenever that changes from one frame to the next: who shows the code,
/// and where each part of the card is. The countdown's text is left out.
const RECORDER: &str = "
    window.record = [];
    window.shifts = [];
    new PerformanceObserver((list) => list.getEntries().forEach(({value, sources}) => shifts.push(
        `${value} ${sources.map(({node}) => node?.className || node?.nodeName)}`)
    )).observe({type: 'layout-shift', buffered: true});
    const PARTS = '.ribbon, .brand, .payee, .description, .amount, svg, .body > p';
    const look = () => {
        requestAnimationFrame(look);
        const element = document.querySelector('wechat-pay');
        const seen = (node) => node.checkVisibility({visibilityProperty: true});
        const parts = (root) => [...root?.querySelectorAll(PARTS) ?? []].filter(seen);
        const [served, own] = [parts(document), parts(element?.shadowRoot)];
        const by = [served.length && 'server', own.length && 'element'].filter(Boolean).join(' and ');
        const hasCode = [...served, ...own].some((node) => node.matches('svg'));
        if (!hasCode && !record.length) return;
        const places = [...served, ...own].map((node) => {
            // Of a paragraph, the place of its text.
            const range = document.createRange();
            range.selectNodeContents(node);
            const {x, y, width, height} = (node.matches('p') ? range : node).getBoundingClientRect();
            return `${node.nodeName} ${[x, y, width, height].map((place) => Math.round(place * 10) / 10)}`;
        });
        const frame = {by, places};
        if (JSON.stringify(frame) !== JSON.stringify(record.at(-1))) record.push(frame);
    };
    requestAnimationFrame(look)";

async fn order(servers: &Servers, order_no: &str) -> String {
    servers
        .order(json!({"order_no": order_no, "total_fen": 1990, "description": "手冲壶", "payee": "云岭茶铺"}))
        .await
}

async fn open(servers: &Servers, browser: &Browser, token: &str) {
    browser
        .open(&format!("{}/c/{token}", servers.merchant))
        .await;
}

async fn must_scan(servers: &Servers, browser: &Browser, token: &str) {
    let checkout = servers.checkout(token).await;
    let code_url = checkout["code_url"].as_str().expect("a code");
    assert_eq!(scan(&browser.screenshot().await), [code_url]);
}

/// The requests of pages that may start an attempt.
fn attempts_asked_for(servers: &Servers) -> Vec<String> {
    let mut requests = servers.requests.seen();
    requests.retain(|request| request.starts_with("POST /c/") || request.ends_with("/attempts"));
    requests
}
