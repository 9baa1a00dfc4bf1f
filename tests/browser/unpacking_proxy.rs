//! The element's files behind a proxy between buyer and merchant server that unpacks them, or that does
//! not say what the browser can unpack: the buyer pays, and the widget is loaded as WebAssembly.

use std::io::Read as _;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flate2::read::GzDecoder;
use payment_tests::browser::{Visitor, visit_in};
use payment_tests::servers::Servers;
use payment_tests::webdriver::Engine;
use serde_json::json;

use crate::broken_files::{order, page, shop_page};

in_browsers! {
    a_proxy_that_unpacks_the_files_harms_nothing: chromium firefox webkit;
    a_proxy_that_hides_what_the_browser_accepts_harms_nothing: chromium firefox webkit;
}

async fn a_proxy_that_unpacks_the_files_harms_nothing(engine: Engine) {
    pay_behind(engine, "unpacking").await;
}

async fn a_proxy_that_hides_what_the_browser_accepts_harms_nothing(engine: Engine) {
    pay_behind(engine, "hiding").await;
}

async fn pay_behind(engine: Engine, proxy: &str) {
    let pages = Router::new()
        .route("/unpacking/{port}/page", get(shop_page))
        .route("/unpacking/{port}/{file}", get(unpack))
        .route("/hiding/{port}/page", get(shop_page))
        .route("/hiding/{port}/{file}", get(hide));
    let servers = Servers::start_with_stage(pages).await;
    let (_, port) = servers.merchant.rsplit_once(':').expect("a port");
    let way = format!("{proxy}/{port}");
    let token = order(&servers).await;
    visit_in(engine, Visitor::Desktop, async |desk| {
        desk.open(&page(&servers, &way, &token, "")).await;
        desk.until_element_is(&["qr"]).await;
        let loaded = desk.look("return window.loaded().length", vec![]).await;
        assert_eq!(loaded, json!(1), "one WebAssembly file");
        let script = "return performance.getEntriesByType('resource').some(({name}) => name.endsWith('.nowasm.js'))";
        assert_eq!(desk.look(script, vec![]).await, json!(false));
        let checkout = servers.checkout(&token).await;
        servers.wechat.pay(&checkout["code_url"]).await;
        desk.until_element_is(&["paid"]).await;
        assert_eq!(desk.complaints().await, [""; 0]);
    })
    .await;
}

/// Asks for gzip, sends the unpacked bytes, and drops `Content-Encoding`. The length is that of the
/// packed bytes, so it is dropped too.
async fn unpack(Path((port, file)): Path<(u16, String)>) -> Response {
    let (mut headers, body) = match fetched(port, &file, Some("gzip")).await {
        Ok(fetched) => fetched,
        Err(status) => return status.into_response(),
    };
    let encoding = headers.remove(header::CONTENT_ENCODING);
    assert_eq!(encoding.expect("an encoding"), "gzip", "{file}");
    headers.remove(header::CONTENT_LENGTH);
    let mut plain = Vec::new();
    let mut unpacked = GzDecoder::new(&*body);
    unpacked.read_to_end(&mut plain).expect("gzip");
    assert!(plain.len() > body.len(), "{file}");
    (headers, plain).into_response()
}

/// Forwards the request without `Accept-Encoding`.
async fn hide(Path((port, file)): Path<(u16, String)>) -> Response {
    match fetched(port, &file, None).await {
        Ok((headers, body)) => {
            assert!(!headers.contains_key(header::CONTENT_ENCODING), "{file}");
            (headers, body).into_response()
        }
        Err(status) => status.into_response(),
    }
}

/// The merchant server's answer, as it is on the wire.
async fn fetched(
    port: u16,
    file: &str,
    accepted: Option<&str>,
) -> Result<(HeaderMap, Vec<u8>), StatusCode> {
    let address = format!("http://127.0.0.1:{port}/dist/{file}");
    let mut request = reqwest::Client::new().get(address);
    if let Some(accepted) = accepted {
        request = request.header(header::ACCEPT_ENCODING, accepted);
    }
    let answer = request.send().await.expect("the server answers");
    if answer.status() != StatusCode::OK {
        return Err(answer.status());
    }
    let mut headers = answer.headers().clone();
    // Of the connection, not of the file.
    headers.remove(header::CONNECTION);
    headers.remove(header::TRANSFER_ENCODING);
    let body = answer.bytes().await.expect("a body");
    Ok((headers, body.to_vec()))
}
