//! Tests of the harness itself: the scanner reads a real screen, and a failure is reported. No
//! payment is tested here.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use payment_tests::browser::{Visitor, visit, visit_in};
use payment_tests::scanner::scan;
use payment_tests::webdriver::Engine;
use serde_json::json;
use tokio::net::TcpListener;

#[tokio::test]
async fn the_scanner_reads_our_qr_code_from_a_desktops_and_a_phones_screen() {
    let text = "weixin://wxpay/bizpayurl?pr=JyC91EIz1";
    let svg = qr_code::QrCode::encode(text).unwrap().svg("code");
    let page = format!("<!doctype html><style>svg{{width:259px}}</style><p>微信支付</p>{svg}");
    let router = Router::new().route("/", get(async || Html(page)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    for visitor in [Visitor::Desktop, Visitor::Phone] {
        visit(visitor, async |browser| {
            browser.open(&address).await;
            assert_eq!(scan(&browser.screenshot().await), [text], "{visitor:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_scenario_finds_nothing_of_the_one_before_it() {
    let router = Router::new().route("/", get(async || Html("<!doctype html><p>a page")));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    for _ in 0..2 {
        visit_in(Engine::Firefox, Visitor::Desktop, async |browser| {
            browser.open(&address).await;
            let found = "return [document.cookie, sessionStorage.length, history.length]";
            let found = browser.look(found, vec![]).await;
            assert_eq!(found, json!(["", 0, 1]));
            let leave =
                "document.cookie = 'left=1'; sessionStorage.left = 1; location.hash = 'left'";
            browser.look(leave, vec![]).await;
            let first = browser.window().await;
            browser.open_window().await;
            browser.open(&address).await;
            let found = browser.look("return document.cookie", vec![]).await;
            assert_eq!(found, "left=1");
            browser.close_window(&first).await;
        })
        .await;
    }
}
