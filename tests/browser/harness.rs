//! Tests of the harness itself: the scanner reads a real screen, and a failure is reported. No
//! payment is tested here.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use payment_tests::browser::{Visitor, visit};
use payment_tests::scanner::scan;
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
