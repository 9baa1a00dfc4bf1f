//! The layout of every page: a notice that this is a simulator, and headers that allow no foreign
//! content.

use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};
use maud::{DOCTYPE, Markup, html};

/// `default-src 'none'` and the two files below. There is no `form-action`: browsers also apply it
/// to the redirect after a form, which leads to the shop.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page with the notice, for a phone.
pub(crate) fn layout(title: &str, content: &Markup) -> Markup {
    framed(title, "phone", content)
}

/// A page with the notice, for a desktop.
pub(super) fn layout_wide(title: &str, content: &Markup) -> Markup {
    framed(title, "desk", content)
}

fn framed(title: &str, width: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="zh-CN" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                link rel="stylesheet" href="/assets/simulator.css";
            }
            body {
                p.simulator role="note" {
                    strong { "模拟器" } " 不会真实扣款 · "
                    span lang="en" { strong { "Simulator" } " No money moves" }
                }
                main class=(width) { (content) }
            }
        }
    }
}

/// A page as an answer: not cached, and with a policy that allows no foreign content.
pub(crate) fn with_page_headers(status: StatusCode, page: Markup) -> Response {
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, headers, Html(page.into_string())).into_response()
}
