//! Puts one script at the beginning of a page's `<head>`. It works on bytes: the page's encoding
//! and the rest of its content do not change.

/// The page with the script's tag. `nonce` is the nonce of the page's own policy, if it has one.
pub(super) fn with_script(page: &[u8], path: &str, nonce: Option<&str>) -> Vec<u8> {
    let nonce = nonce.map_or(String::new(), |nonce| format!(" nonce=\"{nonce}\""));
    let tag = format!("<script src=\"{path}\"{nonce}></script>");
    let at = insertion_point(page);
    [&page[..at], tag.as_bytes(), &page[at..]].concat()
}

/// The nonce by which a `Content-Security-Policy` allows scripts.
pub(super) fn script_nonce(policy: &str) -> Option<&str> {
    let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
    let of = |name: &str| {
        directives.iter().find(|directive| {
            directive
                .split_ascii_whitespace()
                .next()
                .is_some_and(|first| first.eq_ignore_ascii_case(name))
        })
    };
    let directive = of("script-src-elem")
        .or_else(|| of("script-src"))
        .or_else(|| of("default-src"))?;
    directive
        .split_ascii_whitespace()
        .filter_map(|source| source.strip_prefix("'nonce-")?.strip_suffix('\''))
        .find(|nonce| {
            // Only base64 is accepted, because the nonce goes into an attribute.
            !nonce.is_empty()
                && nonce
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(&b))
        })
}

/// After `<head …>`; without one after `<html …>`; without one after the doctype, because a
/// script before it would change how the page is laid out.
fn insertion_point(page: &[u8]) -> usize {
    after_tag(page, b"<head")
        .or_else(|| after_tag(page, b"<html"))
        .or_else(|| after_tag(page, b"<!doctype"))
        .unwrap_or(0)
}

fn after_tag(page: &[u8], tag: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < page.len() {
        let rest = &page[at..];
        if rest.starts_with(b"<!--") {
            at += find(rest, b"-->")? + 3;
            continue;
        }
        let follows = rest.get(tag.len());
        let ends = follows.is_some_and(|b| b.is_ascii_whitespace() || *b == b'>' || *b == b'/');
        if ends && rest[..tag.len()].eq_ignore_ascii_case(tag) {
            return Some(at + find(rest, b">")? + 1);
        }
        at += 1;
    }
    None
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_script_is_the_first_element_of_the_head() {
        for (page, expected) in [
            (
                "<!doctype html><html><head><title>x",
                "<!doctype html><html><head>|<title>x",
            ),
            ("<HTML><HEAD lang='a'>x", "<HTML><HEAD lang='a'>|x"),
            ("<html lang=zh><body>", "<html lang=zh>|<body>"),
            ("<!DOCTYPE html><p>x", "<!DOCTYPE html>|<p>x"),
            ("<p>x", "|<p>x"),
            ("", "|"),
            ("<!-- <head> --><head>x", "<!-- <head> --><head>|x"),
            ("<!-- <head>", "|<!-- <head>"),
            ("<header>x</header>", "|<header>x</header>"),
            ("<head", "|<head"),
        ] {
            let tag = "<script src=\"/s.js\"></script>";
            let made = String::from_utf8(with_script(page.as_bytes(), "/s.js", None)).unwrap();
            assert_eq!(made, expected.replace('|', tag));
        }
    }

    #[test]
    fn the_pages_own_nonce_is_used() {
        for (policy, expected) in [
            ("script-src 'nonce-abc=' 'strict-dynamic'", Some("abc=")),
            (
                "default-src 'self'; SCRIPT-SRC 'self' 'nonce-a1'",
                Some("a1"),
            ),
            ("default-src 'nonce-d'; script-src 'self'", None),
            ("default-src 'nonce-d'", Some("d")),
            ("script-src 'nonce-e'; script-src-elem 'nonce-f'", Some("f")),
            ("style-src 'nonce-s'", None),
            ("script-src 'nonce-\"><script>'", None),
            ("script-src 'nonce-'", None),
            ("", None),
        ] {
            assert_eq!(script_nonce(policy), expected, "{policy}");
        }
        let made = with_script(b"<head>", "/s.js", Some("abc="));
        assert_eq!(
            made,
            b"<head><script src=\"/s.js\" nonce=\"abc=\"></script>"
        );
    }

    proptest! {
        #[test]
        fn only_the_tag_is_added_to_any_page(
            page in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                "(<head|<html|<!--|-->|<!doctype|>| |a){0,20}".prop_map(String::into_bytes),
            ]
        ) {
            let made = with_script(&page, "/s.js", None);
            let tag = b"<script src=\"/s.js\"></script>";
            let at = insertion_point(&page);
            prop_assert_eq!(&made[..at], &page[..at]);
            prop_assert_eq!(&made[at..at + tag.len()], &tag[..]);
            prop_assert_eq!(&made[at + tag.len()..], &page[at..]);
        }
    }
}
