//! Static files: the element's bundle, and the files by which WeChat verifies that a domain is the
//! merchant's.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use http::{HeaderName, HeaderValue, Method, header};
use merchant_core::Merchants;
use merchant_core::config::{Bundle, Config};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use super::embedded_files::EmbeddedFiles;
use super::unknown;
use crate::extract::PathText;
use crate::middleware::{always_set, cross_origin};

/// The element's files, for every page: they hold no secret, and the element reports to a page that
/// its origin is not allowed.
pub(super) fn bundle<S: Clone + Send + Sync + 'static>(config: &Config) -> Router<S> {
    let files = Router::new();
    let files = match &config.bundle {
        Bundle::Absent => files
            .route("/dist", any(no_bundle))
            .route("/dist/", any(no_bundle))
            .route("/dist/{*file}", any(no_bundle)),
        Bundle::Folder { dir, .. } => files.nest_service(
            "/dist",
            ServeDir::new(dir)
                .append_index_html_on_directories(false)
                // `cargo xtask dist` writes them: buyers download less than half.
                .precompressed_br()
                .precompressed_gzip()
                .call_fallback_on_method_not_allowed(true)
                // The file service's own refusals are empty.
                .fallback(get(unknown::unknown).fallback(unknown::other_method)),
        ),
        Bundle::Embedded {
            files: embedded, ..
        } => {
            let embedded = EmbeddedFiles::new(embedded);
            let answer = async move |request: Request| embedded.answer(request).await;
            files.nest_service("/dist", any(answer))
        }
    };
    files
        .layer(from_fn(only_file_names))
        .layer(from_fn(cached_by_name))
        .layer(from_fn(without_spare_headers))
        // A cache must not give a compressed file to a browser that cannot read it.
        .layer(SetResponseHeaderLayer::if_not_present(
            header::VARY,
            HeaderValue::from_static("accept-encoding"),
        ))
        // A page that isolates itself (COEP) may load them, too.
        .layer(always_set(
            HeaderName::from_static("cross-origin-resource-policy"),
            "cross-origin",
        ))
        .layer(cross_origin::of_all())
}

/// The answer of a server without the element's files.
async fn no_bundle() -> Response {
    unknown::without(
        "this server has no files of the element: set bundle_dir to a folder with the npm package wechat-pay-widget, or build the server again after `cargo xtask dist`",
    )
}

/// A file whose name has its content's digest never changes. Browsers revalidate the others. Refusals
/// set their own cache headers.
async fn cached_by_name(request: Request, next: Next) -> Response {
    let policy = if has_digest(request.uri().path()) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static(policy));
    response
}

/// Leaves out what a browser does not need of these files: the ETag tells one from another, and no browser
/// asks for a part of one.
async fn without_spare_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::ETAG) {
        headers.remove(header::LAST_MODIFIED);
    }
    headers.remove(header::ACCEPT_RANGES);
    response
}

/// As in `wechat-pay-0.1.0-1a2b3c4d.wasm`.
fn has_digest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.match_indices('-').any(|(dash, _)| {
        let rest = &name.as_bytes()[dash + 1..];
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit());
        digits.count() == 8 && rest.get(8) == Some(&b'.')
    })
}

/// The bundle's file names have plain characters only. Other names never reach the file system,
/// which reports a NUL or a long name as an I/O error.
async fn only_file_names(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if path.len() <= 255 && path.bytes().all(is_plain) {
        next.run(request).await
    } else {
        unknown::unknown(request).await
    }
}

/// `GET /MP_verify_….txt`. Any other name is an unknown route, with every method.
pub(crate) async fn verification_file(
    State(merchants): State<Merchants>,
    PathText(name): PathText,
    request: Request,
) -> Response {
    let files = &merchants.first().config().verification_files;
    let file = files.iter().find(|file| file.name == name);
    match (file, request.method()) {
        (None, _) => unknown::unknown(request).await,
        (Some(file), &Method::GET | &Method::HEAD) => file.text.clone().into_response(),
        (Some(_), _) => {
            let allow = [(header::ALLOW, "GET,HEAD")];
            (allow, unknown::other_method(request).await).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::has_digest;

    #[test]
    fn only_names_with_a_digest_before_the_ending_are_kept_for_ever() {
        for name in [
            "/wechat-pay-0.1.0-1a2b3c4d.wasm",
            "/wechat-pay-0.1.0-7a058573.nowasm.js",
        ] {
            assert!(has_digest(name), "{name}");
        }
        for name in [
            "/wechat-pay.js",
            "/wechat-pay-0.1.0.js",
            "/wechat-pay-1a2b3c4.js",
            "/wechat-pay-1a2b3c4de.js",
            "/1a2b3c4d.js",
            "/-1a2b3c4d/wechat-pay.js",
            "/wechat-pay-1a2b3c4d",
        ] {
            assert!(!has_digest(name), "{name}");
        }
    }
}
