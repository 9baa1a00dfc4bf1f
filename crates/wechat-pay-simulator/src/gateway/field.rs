//! Types for tables of fields: a field's name, WeChat's Chinese name for it, and its rule. Values
//! are checked in [`super::schema`].

/// One field of a body: its name, WeChat's Chinese name for it, and its rule.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) required: bool,
    pub(super) rule: Rule,
}

pub(super) enum Rule {
    /// Text with its minimum and maximum number of bytes.
    Text(usize, usize),
    /// Text with its maximum of bytes or characters, by the setting.
    Description(usize),
    /// Text of a pattern, with its minimum and maximum number of bytes.
    Pattern(usize, usize, &'static Pattern),
    /// An RFC 3339 moment.
    Moment,
    /// A signed 64-bit integer with its minimum.
    Integer(i64),
    /// `true` or `false`.
    Flag,
    /// An object of known fields.
    Object(&'static [Field]),
    /// A list of objects of known fields.
    List(&'static [Field]),
    /// A list of texts, each with its minimum and maximum number of bytes.
    Texts(usize, usize),
}

pub(super) struct Pattern {
    /// The regular expression as WeChat's message shows it.
    pub(super) shown: &'static str,
    pub(super) fits: fn(&str) -> bool,
}

pub(super) const fn must(name: &'static str, label: &'static str, rule: Rule) -> Field {
    Field {
        name,
        label,
        required: true,
        rule,
    }
}

pub(super) const fn may(name: &'static str, label: &'static str, rule: Rule) -> Field {
    Field {
        name,
        label,
        required: false,
        rule,
    }
}

/// The fields of a body, in groups, so that common fields are written once.
pub(super) type Fields = &'static [&'static [Field]];

pub(super) const OUT_TRADE_NO_PATTERN: &Pattern = &Pattern {
    shown: r"^[0-9a-zA-Z_\-\|\*]+$",
    fits: |text| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-|*".contains(&b))
    },
};

pub(super) const NOTIFY_URL_PATTERN: &Pattern = &Pattern {
    shown: r"^https?://([^\s/?#\[\]\@]+\@)?([^\s/?#\@:]+)(?::\d{2,5})?([^\s?#\[\]]*)$",
    fits: is_notify_url,
};

/// WeChat's regular expression for `notify_url` as code: a scheme, perhaps a user, a host
/// without a colon, perhaps a port of two to five digits, and no query after it.
fn is_notify_url(text: &str) -> bool {
    let Some(rest) = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
    else {
        return false;
    };
    if rest.contains(|c: char| c.is_whitespace() || "?#[]".contains(c)) {
        return false;
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let host_and_port = match authority.split_once('@') {
        Some(("", _)) => return false,
        Some((_, after_user)) => after_user,
        None => authority,
    };
    let (host, port) = host_and_port
        .split_once(':')
        .map_or((host_and_port, None), |(host, port)| (host, Some(port)));
    let port_fits = port.is_none_or(|port| {
        (2..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit())
    });
    !host.is_empty() && !host.contains('@') && port_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notify_url_follows_wechats_regular_expression() {
        for (url, fits) in [
            ("https://www.weixin.qq.com/wxpay/pay.php", true),
            ("http://127.0.0.1:8080/n", true),
            ("https://user@shop.example/n", true),
            ("https://shop.example", true),
            ("https://shop.example:8/n", false),
            ("https://shop.example:123456/n", false),
            ("https://shop.example:port/n", false),
            ("https://shop.example/n?a", false),
            ("https://shop.example/n#a", false),
            ("https://[::1]/n", false),
            ("https:///n", false),
            ("https://@shop.example/n", false),
            ("https://a@b@c/n", false),
            ("ftp://shop.example/n", false),
            ("shop.example", false),
        ] {
            assert_eq!(is_notify_url(url), fits, "{url}");
        }
    }
}
