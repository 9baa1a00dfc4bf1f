//! Who asks for the page, as far as the request's headers say it. A browser sets these headers
//! itself; no page can change them. They decide only whether the page brings a code along, and
//! authorise nothing.

use http::{HeaderMap, HeaderName, Method};

/// The headers in which browsers say that a page is only fetched ahead or shown as a preview. All
/// values count: a browser that names a purpose does not show the page to a person.
const PURPOSES: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-moz"),
    HeaderName::from_static("x-purpose"),
];
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// The headers that decide what the page shows. A cache that ignored `no-store` would need them.
pub(super) const VARY: &str = "accept-language, user-agent, sec-fetch-mode, sec-fetch-dest, \
                               sec-purpose, purpose, x-moz, x-purpose";

/// Whether a browser loads the page as the document of a window, for a person to see now. Robots,
/// previews, frames and browsers without these headers (before Chrome 80, Firefox 90, Safari 16.4)
/// are not recognised as such.
pub(super) fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, expected: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().is_some_and(|value| value == expected) && values.next().is_none()
    };
    method == Method::GET
        && says(&FETCH_MODE, "navigate")
        && says(&FETCH_DEST, "document")
        && !PURPOSES.iter().any(|name| headers.contains_key(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_of_a_window_is_a_navigation_and_nothing_else_is() {
        let navigation = "sec-fetch-mode: navigate\nsec-fetch-dest: document";
        let cases = [
            ("GET", "", "", false),
            ("GET", navigation, "", true),
            ("GET", navigation, "sec-fetch-site: cross-site", true),
            ("GET", navigation, "sec-fetch-user: ?1", true),
            ("HEAD", navigation, "", false),
            ("GET", navigation, "sec-purpose: prefetch", false),
            ("GET", navigation, "sec-purpose: prefetch;prerender", false),
            ("GET", navigation, "purpose: prefetch", false),
            ("GET", navigation, "x-moz: prefetch", false),
            ("GET", navigation, "x-purpose: preview", false),
            ("GET", navigation, "sec-fetch-dest: document", false),
            ("GET", "sec-fetch-mode: navigate", "", false),
            ("GET", "sec-fetch-dest: document", "", false),
            (
                "GET",
                "sec-fetch-mode: navigate",
                "sec-fetch-dest: iframe",
                false,
            ),
            (
                "GET",
                "sec-fetch-mode: no-cors",
                "sec-fetch-dest: image",
                false,
            ),
            (
                "GET",
                "sec-fetch-mode: cors",
                "sec-fetch-dest: empty",
                false,
            ),
        ];
        for (method, some, more, expected) in cases {
            let mut headers = HeaderMap::new();
            for line in some.lines().chain(more.lines()) {
                let (name, value) = line.split_once(": ").unwrap();
                let name: HeaderName = name.parse().unwrap();
                headers.append(name, value.parse().unwrap());
            }
            let method = method.parse().unwrap();
            let found = is_navigation(&method, &headers);
            assert_eq!(found, expected, "{method} {some} {more}");
        }
    }

    #[test]
    fn each_header_that_decides_is_named_for_caches() {
        for name in [FETCH_MODE, FETCH_DEST].iter().chain(&PURPOSES) {
            assert!(VARY.split(", ").any(|known| known == name), "{name}");
        }
    }
}
