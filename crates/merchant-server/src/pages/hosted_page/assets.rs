//! The style and the few lines of script of the buyers' pages. Both hold no data of an order.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header;

/// The page's style and script, served as files. A page whose first picture must not wait for a
/// second file holds the style itself; its policy then names [`STYLE_SOURCE`].
pub(super) const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("cashier.js");
pub(crate) const STYLE_PATH: &str = "/c.css";
pub(crate) const SCRIPT_PATH: &str = "/c.js";

/// The source expression that allows [`STYLE`], and no other style, inside a page.
pub(super) static STYLE_SOURCE: LazyLock<String> = LazyLock::new(|| {
    let hash = digest(&SHA256, STYLE.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(hash))
});

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
