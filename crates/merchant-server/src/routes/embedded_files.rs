//! The element's files from the program itself: compressed for browsers that accept it, and with a tag
//! by which browsers revalidate. It reads no folder.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use merchant_core::config::EmbeddedFile;

use super::unknown;

/// The compressed forms, smallest first: the ending of the file, and its name in HTTP.
const FORMS: [(&str, &str); 2] = [(".br", "br"), (".gz", "gzip")];

/// The files with their tags. Cheap to clone.
#[derive(Clone)]
pub(super) struct EmbeddedFiles(Arc<[Tagged]>);

struct Tagged {
    file: &'static EmbeddedFile,
    tag: HeaderValue,
}

impl EmbeddedFiles {
    pub(super) fn new(files: &'static [EmbeddedFile]) -> Self {
        let tagged = |file: &'static EmbeddedFile| {
            let hash = digest(&SHA256, file.content);
            let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..12]));
            let tag = HeaderValue::try_from(tag).ok()?;
            Some(Tagged { file, tag })
        };
        Self(files.iter().filter_map(tagged).collect())
    }

    /// The answer to a request whose path is a file's name.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let name = request.uri().path().trim_start_matches('/');
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let allow = [(header::ALLOW, "GET,HEAD")];
            return (allow, unknown::other_method(request).await).into_response();
        }
        let Some(plain) = self.named(name, "") else {
            return unknown::unknown(request).await;
        };
        let accepted = request.headers();
        let compressed = preferred(accepted)
            .into_iter()
            .find_map(|(ending, form)| Some((self.named(name, ending)?, Some(form))));
        let (sent, form) = compressed.unwrap_or((plain, None));
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, sent.tag.clone());
        if let Some(form) = form {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(form));
        }
        if has_current(accepted, &sent.tag) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let kind = HeaderValue::from_static(kind_of(name));
        headers.insert(header::CONTENT_TYPE, kind);
        (headers, Bytes::from_static(sent.file.content)).into_response()
    }

    fn named(&self, name: &str, ending: &str) -> Option<&Tagged> {
        self.0
            .iter()
            .find(|tagged| tagged.file.name.strip_suffix(ending) == Some(name))
    }
}

/// The compressed forms that the browser accepts, the preferred one first.
fn preferred(headers: &HeaderMap) -> Vec<(&'static str, &'static str)> {
    let mut forms: Vec<_> = FORMS
        .into_iter()
        .map(|form| (weight(headers, form.1), form))
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    // The sort is stable: of two equal forms, the smaller one stays first.
    forms.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    forms.into_iter().map(|(_, form)| form).collect()
}

/// How much the browser wants this form: 0 is not at all.
fn weight(headers: &HeaderMap, form: &str) -> f32 {
    let mut of_others = 0.0;
    for item in items(headers, &header::ACCEPT_ENCODING) {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let value = parameters.trim().strip_prefix("q=");
        let weight = value.map_or(1.0, |value| value.trim().parse().unwrap_or(0.0));
        match name.trim() {
            name if name.eq_ignore_ascii_case(form) => return weight,
            "*" => of_others = weight,
            _ => {}
        }
    }
    of_others
}

/// Whether the browser has these bytes already.
fn has_current(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let tag = tag.as_bytes();
    items(headers, &header::IF_NONE_MATCH).any(|item| {
        let item = item.strip_prefix("W/").unwrap_or(item);
        item == "*" || item.as_bytes() == tag
    })
}

/// The items of a header that is a list.
fn items<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

fn kind_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("html") => "text/html",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("md") => "text/markdown",
        Some("br" | "gz") => "application/octet-stream",
        // Types are text for a browser that opens them.
        _ => "text/plain",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};

    use super::*;

    static FILES: [EmbeddedFile; 4] = [
        file("a.wasm", b"plain"),
        file("a.wasm.br", b"br"),
        file("a.wasm.gz", b"gz"),
        file("b.js", b"script"),
    ];

    const fn file(name: &'static str, content: &'static [u8]) -> EmbeddedFile {
        EmbeddedFile { name, content }
    }

    async fn answer(method: &str, path: &str, headers: &[(HeaderName, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        EmbeddedFiles::new(&FILES).answer(request).await
    }

    #[tokio::test]
    async fn a_file_comes_in_the_form_that_the_browser_prefers() {
        for (path, accepted, expected, encoding) in [
            ("/a.wasm", "gzip, deflate, br, zstd", "br", Some("br")),
            ("/a.wasm", "gzip, deflate", "gz", Some("gzip")),
            ("/a.wasm", "br;q=0.5, gzip", "gz", Some("gzip")),
            ("/a.wasm", "br;q=0, gzip;q=0.5", "gz", Some("gzip")),
            ("/a.wasm", "*", "br", Some("br")),
            ("/a.wasm", "br;q=0, *;q=0.1", "gz", Some("gzip")),
            ("/a.wasm", "br;q=nonsense", "plain", None),
            ("/a.wasm", "identity", "plain", None),
            ("/a.wasm", "", "plain", None),
            ("/b.js", "gzip, br", "script", None),
        ] {
            let sent = answer("GET", path, &[(header::ACCEPT_ENCODING, accepted)]).await;
            let given = sent.headers().get(header::CONTENT_ENCODING);
            let given = given.map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(given.as_deref(), encoding, "{path} {accepted}");
            let body = to_bytes(sent.into_body(), 100).await.unwrap();
            assert_eq!(body, expected, "{path} {accepted}");
        }
    }

    #[tokio::test]
    async fn a_browser_that_has_a_form_of_a_file_does_not_get_that_form_again() {
        let accepted = (header::ACCEPT_ENCODING, "br");
        let first = answer("GET", "/a.wasm", std::slice::from_ref(&accepted)).await;
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        for (known, expected) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"x\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("\"x\"".to_owned(), StatusCode::OK),
        ] {
            let headers = [accepted.clone(), (header::IF_NONE_MATCH, &*known)];
            let again = answer("GET", "/a.wasm", &headers).await;
            assert_eq!(again.status(), expected, "{known}");
        }
        let plain = answer("GET", "/a.wasm", &[(header::IF_NONE_MATCH, &tag)]).await;
        assert_eq!(plain.status(), StatusCode::OK, "another form");
    }

    #[tokio::test]
    async fn other_names_and_other_methods_are_refused() {
        for (method, path, expected) in [
            ("GET", "/", StatusCode::NOT_FOUND),
            ("GET", "/missing.js", StatusCode::NOT_FOUND),
            ("GET", "/b.js/more", StatusCode::NOT_FOUND),
            ("POST", "/b.js", StatusCode::METHOD_NOT_ALLOWED),
            ("HEAD", "/b.js", StatusCode::OK),
        ] {
            let refused = answer(method, path, &[]).await;
            assert_eq!(refused.status(), expected, "{method} {path}");
        }
    }
}
