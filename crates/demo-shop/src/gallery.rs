//! The gallery of `www/gallery`: every state of the element, from fixtures. It creates no order and
//! calls no backend. A real shop has no such pages.

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// File name, content type, text.
const FILES: &[(&str, &str, &str)] = &[
    (
        "index.html",
        HTML,
        include_str!("../../../www/gallery/index.html"),
    ),
    (
        "state.html",
        HTML,
        include_str!("../../../www/gallery/state.html"),
    ),
    (
        "gallery.css",
        "text/css; charset=utf-8",
        include_str!("../../../www/gallery/gallery.css"),
    ),
    (
        "gallery.js",
        SCRIPT,
        include_str!("../../../www/gallery/gallery.js"),
    ),
    (
        "state.js",
        SCRIPT,
        include_str!("../../../www/gallery/state.js"),
    ),
    (
        "states.js",
        SCRIPT,
        include_str!("../../../www/gallery/states.js"),
    ),
];

/// The gallery's pages. They load the bundle from `/dist` beside them, which redirects to the
/// merchant server's.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(merchant_server: String) -> Router<S> {
    Router::new()
        .route(
            "/gallery",
            get(|| async { Redirect::permanent("/gallery/") }),
        )
        .route("/gallery/", get(|| async { file("index.html") }))
        .route(
            "/gallery/{file}",
            get(|Path(name): Path<String>| async move { file(&name) }),
        )
        .route(
            "/dist/{file}",
            get(|Path(name): Path<String>| async move {
                Redirect::temporary(&format!("{merchant_server}/dist/{name}"))
            }),
        )
}

fn file(file_name: &str) -> Response {
    let found = FILES.iter().find(|(name, ..)| *name == file_name);
    found.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |(_, content_type, text)| {
            let headers = [
                (header::CONTENT_TYPE, *content_type),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (header::CACHE_CONTROL, "no-store"),
                // Replaces the shop's policy, because the gallery frames its own pages.
                (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'self'"),
            ];
            (headers, *text).into_response()
        },
    )
}
