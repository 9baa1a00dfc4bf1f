//! The style and the few lines of script of the buyers' pages. Both hold no data of an order.

use axum::response::{IntoResponse, Response};
use http::header;

/// The page's style and script, served as files, because the page's policy forbids inline style and
/// script.
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("cashier.js");
pub(crate) const STYLE_PATH: &str = "/c.css";
pub(crate) const SCRIPT_PATH: &str = "/c.js";
/// `GET /c.css`
pub(crate) async fn style() -> Response {
    file("text/css; charset=utf-8", STYLE)
}

/// `GET /c.js`
pub(crate) async fn script() -> Response {
    file("text/javascript; charset=utf-8", SCRIPT)
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, text).into_response()
}
