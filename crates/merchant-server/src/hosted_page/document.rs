//! The frame of every page that a buyer sees here: head, TEST ribbon, and the headers that say
//! what the page may do. No page carries inline script or style.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};

use super::{SCRIPT_PATH, STYLE_PATH};
use crate::server::MerchantServer;

/// How often a page without script looks again while it waits, in seconds.
const REFRESH_S: u32 = 5;

/// What is special about one page.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frame {
    /// Say that no real money moves.
    pub(super) is_test: bool,
    /// Look again by itself where there is no script to be told by.
    pub(super) refreshes: bool,
    /// Load our own few lines of script.
    pub(super) has_script: bool,
}

/// A whole document.
pub(super) fn document(title: &str, frame: Frame, words: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                // No picture, and no request for one.
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(STYLE_PATH);
                @if frame.refreshes {
                    // With script the element is told, and a reload would only disturb it.
                    noscript { meta http-equiv="refresh" content=(REFRESH_S); }
                }
                @if frame.has_script {
                    script src=(SCRIPT_PATH) defer {}
                }
            }
            body {
                @if frame.is_test {
                    p .test { "TEST 测试环境，不会产生真实付款 " span lang="en" { "No real money moves here." } }
                }
                main { (words) }
            }
        }
    }
}

/// What a checkout page may load and where it may go. `form-action` names the hosts that a form's
/// redirect ends at, because browsers count it as the form's own.
pub(super) fn checkout_policy(server: &MerchantServer) -> String {
    let gateway = &server.config.gateway;
    let beyond = if gateway.is_live() {
        "https://wx.tenpay.com https://open.weixin.qq.com".to_owned()
    } else {
        let authorize = gateway.authorize_url.origin().ascii_serialization();
        format!("https://wx.tenpay.com {} {authorize}", gateway.origin)
    };
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
         form-action 'self' {beyond}; frame-ancestors 'none'"
    )
}

/// A page of words alone.
pub(crate) fn plain(status: StatusCode, title: &str, words: &Markup) -> Response {
    let markup = document(title, Frame::default(), words);
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    secured(status, &markup, policy)
}

/// A page with its headers.
pub(super) fn secured(status: StatusCode, markup: &Markup, policy: &str) -> Response {
    let mut response = (status, markup.clone()).into_response();
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    secure(&mut response);
    response
}

/// The headers that every answer of these routes carries, redirects included.
pub(super) fn secure(response: &mut Response) {
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        // WeChat compares the Referer of an H5 payment; no-referrer breaks it.
        (header::REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}
