//! The proxy: requests get WeChat's User-Agent, and pages get one script.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;

use super::browser::{BRIDGE_PATH, Browser, USER_AGENT};
use super::inject::{script_nonce, with_script};

/// The limits of a request and of a page.
const REQUEST_LIMIT_BYTES: usize = 16 * 1024 * 1024;
const PAGE_LIMIT_BYTES: usize = 16 * 1024 * 1024;

/// Headers of one connection, which are not forwarded.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

pub(super) async fn forward(State(browser): State<Browser>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, REQUEST_LIMIT_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let upstream = http::Request::builder()
        .method(parts.method)
        .uri(format!("{}{path}", browser.shop))
        .body(body);
    let Ok(mut upstream) = upstream else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    *upstream.headers_mut() = request_headers(&browser, parts.headers);
    match browser.outgoing.send(upstream).await {
        Ok(response) => answer(&browser, response).await,
        Err(error) => unreachable_page(&browser, &error.to_string()),
    }
}

fn request_headers(browser: &Browser, mut headers: HeaderMap) -> HeaderMap {
    drop_hop_by_hop(&mut headers);
    // Uncompressed, so that the script can be added.
    headers.remove(header::ACCEPT_ENCODING);
    // WeChat's browser sends no client hints; the real browser's would reveal it.
    for name in ["sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform"] {
        headers.remove(name);
    }
    for name in ["x-forwarded-for", "forwarded"] {
        headers.remove(name);
    }
    headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
    for (name, value) in [
        (header::HOST, browser.shop.authority()),
        (
            HeaderName::from_static("x-forwarded-host"),
            browser.own.authority(),
        ),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers
}

async fn answer(browser: &Browser, response: http::Response<Body>) -> Response {
    let (mut parts, body) = response.into_parts();
    drop_hop_by_hop(&mut parts.headers);
    keep_in_browser(browser, &mut parts.headers);
    // A partial page: the script cannot be added.
    let whole = !matches!(
        parts.status,
        StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
    );
    if !whole || !is_plain_html(&parts.headers) {
        return Response::from_parts(parts, body);
    }
    let Ok(page) = collect(body).await else {
        return unreachable_page(browser, "the page was interrupted or is too large");
    };
    let nonce = parts
        .headers
        .get(header::CONTENT_SECURITY_POLICY)
        .and_then(|policy| policy.to_str().ok())
        .and_then(script_nonce);
    let page = with_script(&page, BRIDGE_PATH, nonce);
    parts.headers.remove(header::CONTENT_LENGTH);
    // The bytes are changed, so the ETag no longer matches.
    parts.headers.remove(header::ETAG);
    Response::from_parts(parts, Body::from(page))
}

/// A redirect to the shop's origin stays in the browser; others are unchanged.
fn keep_in_browser(browser: &Browser, headers: &mut HeaderMap) {
    let Some(location) = headers
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
    else {
        return;
    };
    let Some(rest) = location.strip_prefix(browser.shop.as_str()) else {
        return;
    };
    // `http://127.0.0.1:80` is not a prefix of the origin `http://127.0.0.1:8000`.
    if !(rest.is_empty() || rest.starts_with(['/', '?', '#'])) {
        return;
    }
    if let Ok(kept) = HeaderValue::from_str(&format!("{}{rest}", browser.own)) {
        headers.insert(header::LOCATION, kept);
    }
}

fn is_plain_html(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let html = text(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    });
    let plain = text(header::CONTENT_ENCODING).is_none_or(|encoding| encoding == "identity");
    html && plain
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in HOP_BY_HOP.iter().chain(&named) {
        headers.remove(name);
    }
}

async fn collect(body: Body) -> Result<Bytes, ()> {
    let limited = http_body_util::Limited::new(body, PAGE_LIMIT_BYTES);
    match limited.collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(_) => Err(()),
    }
}

fn unreachable_page(browser: &Browser, reason: &str) -> Response {
    let page = maud::html! {
        (maud::DOCTYPE)
        html lang="zh-CN" {
            head { meta charset="utf-8"; title { "无法打开网页" } }
            body {
                h1 { "无法打开网页" }
                p { "商户页面 " (browser.shop) " 没有响应。" }
                p lang="en" { "The WeChat browser gets no answer from " (browser.shop) ": " (reason) "." }
            }
        }
    };
    (StatusCode::BAD_GATEWAY, Html(page.into_string())).into_response()
}
