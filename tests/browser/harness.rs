//! Tests of the harness itself: the scanner reads a real screen, and a failure is reported. No
//! payment is tested here.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use payment_tests::browser::{Browser, Visitor, visit, visit_in};
use payment_tests::scanner::scan;
use payment_tests::webdriver::Engine;
use serde_json::json;
use tokio::net::TcpListener;

in_browsers! {
    a_scenario_finds_nothing_of_the_one_before_it: chromium firefox webkit;
}

#[tokio::test]
async fn the_scanner_reads_our_qr_code_from_a_desktops_and_a_phones_screen() {
    let text = "weixin://wxpay/bizpayurl?pr=JyC91EIz1";
    let svg = qr_code::QrCode::encode(text).unwrap().svg("code");
    let page = format!("<!doctype html><style>svg{{width:259px}}</style><p>微信支付</p>{svg}");
    let address = serve(page).await;
    for visitor in [Visitor::Desktop, Visitor::Phone] {
        visit(visitor, async |browser| {
            browser.open(&address).await;
            assert_eq!(scan(&browser.screenshot().await), [text], "{visitor:?}");
        })
        .await;
    }
}

async fn a_scenario_finds_nothing_of_the_one_before_it(engine: Engine) {
    let address = serve("<!doctype html><link rel=icon href=data:,><p>a page".to_owned()).await;
    let mut found_before = None;
    for _ in 0..2 {
        visit_in(engine, Visitor::Desktop, async |browser| {
            browser.open(&address).await;
            let found = "return [document.cookie, sessionStorage.length, history.length, \
                innerWidth, navigator.userAgent, matchMedia('(prefers-reduced-motion)').matches]";
            let found = browser.look(found, vec![]).await;
            assert_eq!(browser.console().await, [""; 0]);
            assert_eq!([&found[0], &found[1]], [&json!(""), &json!(0)]);
            if engine == Engine::Firefox {
                assert_eq!(found[2], 1, "the length of the history");
            }
            let before = found_before.get_or_insert_with(|| found.clone());
            assert_eq!(found, *before);
            leave_traces(browser, &address).await;
        })
        .await;
    }
}

async fn leave_traces(browser: &Browser, address: &str) {
    let leave = "document.cookie = 'left=1'; sessionStorage.left = 1; location.hash = 'left'; console.error('left')";
    browser.look(leave, vec![]).await;
    let first = browser.window().await;
    browser.open_window().await;
    browser.open(address).await;
    let found = browser.look("return document.cookie", vec![]).await;
    assert_eq!(found, "left=1");
    browser.close_window(&first).await;
    browser.narrow_window(700).await;
    if browser.engine() == Engine::Chromium {
        browser.resize(500, 500).await;
        browser
            .prefer(&[("prefers-reduced-motion", "reduce")])
            .await;
        browser.override_user_agent("left", "fr").await;
        browser.block_script(true).await;
    }
}

/// Serves a page, and returns its address.
async fn serve(page: String) -> String {
    let router = Router::new().route("/", get(async || Html(page)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}
