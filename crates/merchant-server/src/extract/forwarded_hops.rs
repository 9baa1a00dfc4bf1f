//! Reads the addresses that proxies write into `X-Forwarded-For` and `Forwarded` (RFC 7239). It
//! removes what proxies add: ports, brackets, quotes, blanks, empty entries. It does not decide
//! which hop to trust.
//!
//! A hop that cannot be read is described by its form alone (`n.n.n.n:w`), because a client may
//! have written any text into it, even a secret.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

/// Longest description of a form, in characters.
const FORM_MAX: usize = 40;
/// How many forms are remembered. A proxy writes one or two.
const FORMS_MAX: usize = 16;

/// A hop that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unread {
    /// The header's name.
    pub(crate) header: &'static str,
    /// Its form: `n` stands for digits, `h` for hex digits, `w` for other letters and digits, `u`
    /// for what is not ASCII; everything else stands for itself.
    pub(crate) form: String,
}

impl Unread {
    /// Both headers name an address, and the two addresses differ.
    pub(crate) fn contradiction() -> Self {
        Self {
            header: "x-forwarded-for, forwarded",
            form: "(two addresses that differ)".to_owned(),
        }
    }
}

/// The forms that were reported since the start: each is reported once.
#[derive(Debug, Default)]
pub(crate) struct UnreadForms(Mutex<BTreeSet<Unread>>);

impl UnreadForms {
    /// Whether this form comes for the first time. After very many forms, no form counts as new.
    pub(crate) fn is_new(&self, unread: &Unread) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.len() < FORMS_MAX && seen.insert(unread.clone())
    }
}

/// The hops of a line of `X-Forwarded-For`, in its order.
pub(crate) fn forwarded_for(line: &[u8]) -> Vec<Result<IpAddr, Unread>> {
    let line = String::from_utf8_lossy(line);
    let hops = line.split(',').map(str::trim).filter(|hop| !hop.is_empty());
    hops.map(|hop| read_hop(hop, "x-forwarded-for")).collect()
}

/// The hops of a line of `Forwarded`, in its order: the `for` of each element.
pub(crate) fn forwarded(line: &[u8]) -> Vec<Result<IpAddr, Unread>> {
    let line = String::from_utf8_lossy(line);
    split_unquoted(&line, ',')
        .into_iter()
        .map(str::trim)
        .filter(|element| !element.is_empty())
        .map(read_element)
        .collect()
}

fn read_element(element: &str) -> Result<IpAddr, Unread> {
    let pairs = split_unquoted(element, ';').into_iter();
    let node = pairs
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    match node {
        Some((_, node)) => read_hop(node.trim(), "forwarded"),
        None => Err(Unread {
            header: "forwarded",
            form: "(no for)".to_owned(),
        }),
    }
}

fn read_hop(hop: &str, header: &'static str) -> Result<IpAddr, Unread> {
    address(unquoted(hop).trim()).ok_or_else(|| Unread {
        header,
        form: form_of(hop),
    })
}

/// The address of a node: alone, with a port, or in brackets with or without a port. A zone
/// (`%eth0`) has a meaning only on the machine that wrote it.
fn address(node: &str) -> Option<IpAddr> {
    if let Some(rest) = node.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        let is_port = after.is_empty() || after.strip_prefix(':').is_some_and(is_port);
        return is_port.then(|| v6(inside)).flatten().map(IpAddr::V6);
    }
    if let Ok(address) = node.parse::<Ipv4Addr>() {
        return Some(address.into());
    }
    if let Some((address, port)) = node.split_once(':')
        && let Ok(address) = address.parse::<Ipv4Addr>()
    {
        return is_port(port).then(|| address.into());
    }
    v6(node).map(IpAddr::V6)
}

fn v6(text: &str) -> Option<Ipv6Addr> {
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse().ok()
}

/// A port: a number, or a name that hides the number (RFC 7239, 6.2).
fn is_port(text: &str) -> bool {
    let is_number = text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_hidden = text.strip_prefix('_').is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    });
    is_number || is_hidden
}

/// Removes the quotes around a text, and the backslashes that escape characters inside.
fn unquoted(text: &str) -> String {
    let inside = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let Some(inside) = inside else {
        return text.to_owned();
    };
    let mut plain = String::new();
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.extend(characters.next()),
            character => plain.push(character),
        }
    }
    plain
}

/// Splits a text at each separator outside of quotes. A quote without an end reaches to the end of
/// the text.
fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut is_quoted, mut is_escaped) = (0, false, false);
    for (place, character) in text.char_indices() {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if character == separator && !is_quoted => {
                parts.push(&text[start..place]);
                start = place + separator.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The form of a text, without its content.
fn form_of(text: &str) -> String {
    let mut form = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if form.chars().count() >= FORM_MAX {
            form.push('…');
            break;
        }
        let is_word = |character: char| character.is_ascii_alphanumeric();
        let is_foreign = |character: char| !character.is_ascii() || character.is_ascii_control();
        let (kind, length) = if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let word = &rest.as_bytes()[..end];
            let kind = if word.iter().all(u8::is_ascii_digit) {
                'n'
            } else if word.iter().all(u8::is_ascii_hexdigit) {
                'h'
            } else {
                'w'
            };
            (kind, end)
        } else if is_foreign(first) {
            ('u', rest.find(|c| !is_foreign(c)).unwrap_or(rest.len()))
        } else {
            (first, first.len_utf8())
        };
        form.push(kind);
        rest = &rest[length..];
    }
    form
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(hops: Vec<Result<IpAddr, Unread>>) -> Vec<String> {
        let one = |hop: Result<IpAddr, Unread>| match hop {
            Ok(address) => address.to_string(),
            Err(unread) => format!("?{}", unread.form),
        };
        hops.into_iter().map(one).collect()
    }

    #[test]
    fn x_forwarded_for_is_read_in_the_form_that_proxies_write() {
        let table: [(&str, &[&str]); 20] = [
            ("203.0.113.9", &["203.0.113.9"]),
            ("203.0.113.9:52114", &["203.0.113.9"]),
            ("2001:db8::1", &["2001:db8::1"]),
            ("[2001:db8::1]", &["2001:db8::1"]),
            ("[2001:db8::1]:443", &["2001:db8::1"]),
            ("\"[2001:db8::1]:443\"", &["2001:db8::1"]),
            ("\"203.0.113.9\"", &["203.0.113.9"]),
            ("fe80::1%eth0", &["fe80::1"]),
            ("[fe80::1%25eth0]:80", &["fe80::1"]),
            ("::ffff:203.0.113.9", &["::ffff:203.0.113.9"]),
            (
                " 203.0.113.9 ,\t198.51.100.1 ",
                &["203.0.113.9", "198.51.100.1"],
            ),
            ("203.0.113.9,", &["203.0.113.9"]),
            (",, 203.0.113.9 , ,", &["203.0.113.9"]),
            ("", &[]),
            (" , ", &[]),
            ("203.0.113.9:port", &["?n.n.n.n:w"]),
            ("203.0.113.9:65536", &["?n.n.n.n:n"]),
            ("203.0.113.9:+80", &["?n.n.n.n:+n"]),
            ("[2001:db8::1]443", &["?[n:h::n]n"]),
            ("203.0.113.256", &["?n.n.n.n"]),
        ];
        for (line, expected) in table {
            assert_eq!(shown(forwarded_for(line.as_bytes())), expected, "{line}");
        }
    }

    #[test]
    fn forwarded_is_read_by_its_grammar() {
        let table: [(&str, &[&str]); 14] = [
            ("for=192.0.2.43", &["192.0.2.43"]),
            ("For=192.0.2.43:80", &["192.0.2.43"]),
            ("FOR=\"[2001:db8:cafe::17]:4711\"", &["2001:db8:cafe::17"]),
            ("for=\"[2001:db8:cafe::17]\"", &["2001:db8:cafe::17"]),
            ("for=192.0.2.60;proto=http;by=203.0.113.43", &["192.0.2.60"]),
            (
                "proto=https; host=\"a,b;for=1.2.3.4\" ; for=192.0.2.60",
                &["192.0.2.60"],
            ),
            (
                "for=192.0.2.43, for=198.51.100.17",
                &["192.0.2.43", "198.51.100.17"],
            ),
            ("for=192.0.2.43,", &["192.0.2.43"]),
            ("for=192.0.2.43:_secret", &["192.0.2.43"]),
            ("for=\"192.0.2.\\43\"", &["192.0.2.43"]),
            ("for=_gazonk", &["?_w"]),
            ("for=unknown", &["?w"]),
            ("by=203.0.113.43", &["?(no for)"]),
            ("192.0.2.43", &["?(no for)"]),
        ];
        for (line, expected) in table {
            assert_eq!(shown(forwarded(line.as_bytes())), expected, "{line}");
        }
    }

    #[test]
    fn each_form_is_reported_once_and_their_number_is_limited() {
        let forms = UnreadForms::default();
        let unread = |form: &str| Unread {
            header: "forwarded",
            form: form.to_owned(),
        };
        assert!(forms.is_new(&unread("w")));
        assert!(!forms.is_new(&unread("w")));
        let new = (0..1000).filter(|n| forms.is_new(&unread(&n.to_string())));
        assert_eq!(new.count(), FORMS_MAX - 1);
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic_or_shows_its_content(
            line in proptest::collection::vec(any::<u8>(), 0..80),
            word in "[g-z]{8}",
        ) {
            let with_word = [&line[..], b", ", word.as_bytes()].concat();
            for hops in [forwarded_for(&with_word), forwarded(&with_word)] {
                for unread in hops.into_iter().filter_map(Result::err) {
                    prop_assert!(!unread.form.contains(&word));
                    prop_assert!(unread.form.chars().count() <= FORM_MAX + 1);
                }
            }
        }

        #[test]
        fn an_address_is_read_in_every_notation(
            v4 in any::<u32>(), v6 in any::<u128>(), port in any::<u16>(), blanks in "[ \t]{0,3}",
        ) {
            let (v4, v6) = (Ipv4Addr::from(v4), Ipv6Addr::from(v6));
            for (text, address) in [
                (format!("{v4}"), IpAddr::V4(v4)),
                (format!("{v4}:{port}"), IpAddr::V4(v4)),
                (format!("{v6}"), IpAddr::V6(v6)),
                (format!("[{v6}]"), IpAddr::V6(v6)),
                (format!("[{v6}]:{port}"), IpAddr::V6(v6)),
            ] {
                let line = format!("{blanks}{text}{blanks},{blanks}");
                prop_assert_eq!(forwarded_for(line.as_bytes()), [Ok(address)]);
                let line = format!("{blanks}for=\"{text}\"{blanks};proto=http,{blanks}");
                prop_assert_eq!(forwarded(line.as_bytes()), [Ok(address)]);
            }
        }
    }
}
