//! Fields of an order, as types that cannot have a value that WeChat would refuse.

use std::net::IpAddr;

use payment_values::{InvalidField, Rule, check_text, checked_text};

checked_text! {
    /// The text that the buyer sees in the cashier: 1 to 127 **bytes** of UTF-8, no emoji.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(into = "String", try_from = "String")]
    Description, check_description
}
checked_text! {
    /// The address to which WeChat sends its notifications: https, at most 255 bytes, no query, no
    /// fragment. Plain http is accepted only for a loopback address, which only a simulator can
    /// reach.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(into = "String", try_from = "String")]
    NotifyUrl, check_notify_url
}

fn check_description(text: &str) -> Result<(), InvalidField> {
    check_text("description", text, 127)
}

fn check_notify_url(text: &str) -> Result<(), InvalidField> {
    const FIELD: &str = "notify_url";
    let broken = |rule| Err(InvalidField::new(FIELD, Rule::Url(rule)));
    check_text(FIELD, text, 255)?;
    if text.contains(['?', '#']) {
        return broken("without query and fragment");
    }
    if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '[' || c == ']') {
        return broken("without blanks and brackets");
    }
    let Ok(url) = text.parse::<http::Uri>() else {
        return broken("with scheme and host");
    };
    let (Some(scheme), Some(host)) = (url.scheme_str(), url.host()) else {
        return broken("with scheme and host");
    };
    if host.is_empty() || url.authority().is_some_and(|a| a.as_str().contains('@')) {
        return broken("with a host and without a user");
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback_host(host) => Ok(()),
        _ => broken("of https (http for loopback addresses alone)"),
    }
}

/// Whether a URL's host is this machine: `localhost`, 127.0.0.0/8, `[::1]`. Names are not resolved,
/// because the address can change between two look-ups.
#[must_use]
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_description_is_measured_in_bytes() {
        // 42 characters of three bytes are 126 bytes; one byte more fits, two do not.
        let chinese = "茶".repeat(42);
        assert!(Description::parse(format!("{chinese}a")).is_ok());
        let error = Description::parse(format!("{chinese}ab")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "description: must be at most 127 bytes of UTF-8, is 128"
        );
        assert_eq!(Description::parse("").unwrap_err().rule, Rule::Empty);
        assert_eq!(
            Description::parse("🍵").unwrap_err().rule,
            Rule::FourByteCharacter
        );
    }

    #[test]
    fn a_notify_url_is_https_or_loopback_and_has_no_query() {
        for good in [
            "https://www.weixin.qq.com/wxpay/pay.php",
            "https://shop.example:8443/n",
            "http://127.0.0.1:8080/wechat/notify/payment",
            "http://localhost:8080/n",
        ] {
            assert!(NotifyUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "shop.example/n",
            "/n",
            "http://shop.example/n",
            "http://127.0.0.1.example/n",
            "http://128.0.0.1/n",
            "ftp://shop.example/n",
            "https://shop.example/n?a=1",
            "https://shop.example/n#a",
            "https://user@shop.example/n",
            "https://shop.example/a b",
            "http://[::1]:80/n",
            &format!("https://shop.example/{}", "a".repeat(255)),
        ] {
            assert_eq!(
                NotifyUrl::parse(bad).unwrap_err().field,
                "notify_url",
                "{bad}"
            );
        }
    }

    #[test]
    fn only_addresses_of_this_machine_are_loopback() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST", true),
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("[::1]", true),
            ("::1", true),
            ("127.0.0.1.example.com", false),
            ("localhost.example.com", false),
            ("0.0.0.0", false),
            ("10.0.0.1", false),
            ("example.com", false),
            ("", false),
        ] {
            assert_eq!(is_loopback_host(host), expected, "{host}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_check_panic(text in "\\PC{0,300}") {
            let _ = Description::parse(text.clone());
            let _ = NotifyUrl::parse(text.clone());
            let _ = NotifyUrl::parse(format!("https://{text}"));
        }
    }
}
