//! The files of the till's page: its style, and the script with the modules that it imports.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;

use crate::server::MerchantServer;

pub(super) const SCRIPT_PATH: &str = "/till/till.js";
pub(super) const STYLE_PATH: &str = "/till/till.css";
/// The page's files. The script imports the others.
const FILES: [(&str, &str, &str); 5] = [
    (SCRIPT_PATH, JAVASCRIPT, include_str!("till.js")),
    ("/till/screen.js", JAVASCRIPT, include_str!("screen.js")),
    ("/till/server.js", JAVASCRIPT, include_str!("server.js")),
    ("/till/values.js", JAVASCRIPT, include_str!("values.js")),
    (
        STYLE_PATH,
        "text/css; charset=utf-8",
        include_str!("till.css"),
    ),
];
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// One route for each file.
pub(super) fn routes() -> Router<MerchantServer> {
    FILES
        .into_iter()
        .fold(Router::new(), |routes, (path, kind, text)| {
            routes.route(path, get(async move || file(kind, text)))
        })
}

/// The files belong to each other, so a browser never mixes those of two versions.
fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
