//! Fields of an order that cannot exist in a form that WeChat would refuse.

use std::net::IpAddr;

use crate::field::{InvalidField, Rule, check_text, check_word, checked_text};

checked_text! {
    /// The merchant's number of one attempt: 6 to 32 of `[0-9a-zA-Z_\-|*]`, unique per mchid.
    OutTradeNo, check_out_trade_no
}
checked_text! {
    /// WeChat's number of a payment: up to 32 digits or letters.
    TransactionId, check_transaction_id
}
checked_text! {
    /// The merchant's number of a refund: up to 64 of `[0-9a-zA-Z_\-|*@]`, unique per mchid.
    OutRefundNo, check_out_refund_no
}
checked_text! {
    /// WeChat's number of a refund: up to 32 digits or letters.
    RefundId, check_refund_id
}
checked_text! {
    /// The text that the buyer sees in the cashier: 1 to 127 **bytes** of UTF-8, no emoji.
    Description, check_description
}
checked_text! {
    /// The buyer under one appid: 1 to 128 bytes of letters, digits, `_` and `-`.
    OpenId, check_openid
}
checked_text! {
    /// Where WeChat sends its notifications: https, at most 255 bytes, no query, no fragment.
    /// Plain http is taken for a loopback address alone, which only a simulator can reach.
    NotifyUrl, check_notify_url
}

fn check_out_trade_no(text: &str) -> Result<(), InvalidField> {
    const FIELD: &str = "out_trade_no";
    check_text(FIELD, text, 32)?;
    if text.len() < 6 {
        let got = text.len();
        return Err(InvalidField::new(FIELD, Rule::TooFewBytes { min: 6, got }));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-|*".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(InvalidField::new(
            FIELD,
            Rule::Characters(r"[0-9a-zA-Z_\-|*]"),
        ));
    }
    Ok(())
}

fn check_transaction_id(text: &str) -> Result<(), InvalidField> {
    check_word("transaction_id", text)
}

fn check_out_refund_no(text: &str) -> Result<(), InvalidField> {
    const FIELD: &str = "out_refund_no";
    check_text(FIELD, text, 64)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(InvalidField::new(
            FIELD,
            Rule::Characters(r"[0-9a-zA-Z_\-|*@]"),
        ));
    }
    Ok(())
}

fn check_refund_id(text: &str) -> Result<(), InvalidField> {
    check_word("refund_id", text)
}

fn check_description(text: &str) -> Result<(), InvalidField> {
    check_text("description", text, 127)
}

fn check_openid(text: &str) -> Result<(), InvalidField> {
    const FIELD: &str = "payer.openid";
    check_text(FIELD, text, 128)?;
    if !text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    {
        return Err(InvalidField::new(FIELD, Rule::Characters("[0-9a-zA-Z_-]")));
    }
    Ok(())
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

    #[test]
    fn an_out_trade_no_has_6_to_32_of_its_characters() {
        let long = "a".repeat(32);
        for good in ["123456", "A_-|*z", &long] {
            assert_eq!(OutTradeNo::parse(good).unwrap().as_str(), good);
        }
        let too_long = "a".repeat(33);
        let table = [
            ("", Rule::Empty),
            ("12345", Rule::TooFewBytes { min: 6, got: 5 }),
            (&too_long, Rule::TooManyBytes { max: 32, got: 33 }),
            ("12345 ", Rule::Characters(r"[0-9a-zA-Z_\-|*]")),
            ("12345/", Rule::Characters(r"[0-9a-zA-Z_\-|*]")),
            ("12345é", Rule::Characters(r"[0-9a-zA-Z_\-|*]")),
        ];
        for (text, rule) in table {
            let error = OutTradeNo::parse(text).unwrap_err();
            assert_eq!(error, InvalidField::new("out_trade_no", rule), "{text}");
        }
    }

    #[test]
    fn an_out_refund_no_has_up_to_64_of_its_characters() {
        let long = "a".repeat(64);
        for good in ["1", "A_-|*@z", &long] {
            assert_eq!(OutRefundNo::parse(good).unwrap().as_str(), good);
        }
        let too_long = "a".repeat(65);
        let table = [
            ("", Rule::Empty),
            (&too_long, Rule::TooManyBytes { max: 64, got: 65 }),
            ("R 1", Rule::Characters(r"[0-9a-zA-Z_\-|*@]")),
            ("R/1", Rule::Characters(r"[0-9a-zA-Z_\-|*@]")),
        ];
        for (text, rule) in table {
            let error = OutRefundNo::parse(text).unwrap_err();
            assert_eq!(error, InvalidField::new("out_refund_no", rule), "{text}");
        }
    }

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
    fn an_openid_has_at_most_128_plain_characters() {
        assert!(OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").is_ok());
        assert!(OpenId::parse("a".repeat(128)).is_ok());
        for bad in ["", "a b", "a\n", &"a".repeat(129)] {
            assert_eq!(OpenId::parse(bad).unwrap_err().field, "payer.openid");
        }
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
    fn reading_json_checks_the_rules_too() {
        assert!(serde_json::from_str::<OutTradeNo>("\"123456\"").is_ok());
        assert!(serde_json::from_str::<OutTradeNo>("\"1\"").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_a_check_panic(text in "\\PC{0,300}") {
            let _ = OutTradeNo::parse(text.clone());
            let _ = TransactionId::parse(text.clone());
            let _ = Description::parse(text.clone());
            let _ = OpenId::parse(text.clone());
            let _ = NotifyUrl::parse(text.clone());
            let _ = NotifyUrl::parse(format!("https://{text}"));
        }
    }
}
