//! Addresses: origins and proxies must be able to match a caller, and only some addresses may be
//! plain http.

use super::{parse, with};
use crate::security::live_configuration;

#[test]
fn an_origin_is_stored_as_browsers_send_it_or_refused() {
    let live = |origin: &str| {
        let list = format!("allowed_origins = [\"{origin}\"]");
        let text = live_configuration();
        let from = r#"allowed_origins = ["https://www.shop.example"]"#;
        assert!(text.contains(from));
        parse(&text.replacen(from, &list, 1))
    };
    for (origin, kept) in [
        ("https://www.shop.example", "https://www.shop.example"),
        ("https://www.shop.example/", "https://www.shop.example"),
        ("HTTPS://WWW.Shop.Example", "https://www.shop.example"),
        ("https://www.shop.example:443", "https://www.shop.example"),
        (
            "https://www.shop.example:8443",
            "https://www.shop.example:8443",
        ),
        (" https://www.shop.example ", "https://www.shop.example"),
        ("https://商店.example", "https://xn--czrs0t.example"),
    ] {
        assert_eq!(live(origin).unwrap().allowed_origins, [kept], "{origin}");
    }
    for (origin, words) in [
        ("https://*.shop.example", "a * stands for nothing here"),
        ("*", "a * stands for nothing here"),
        ("null", "must not be null"),
        ("", "is empty"),
        ("www.shop.example", "must begin with https://"),
        ("www.shop.example:8443", "must begin with https://"),
        ("//www.shop.example", "must begin with https://"),
        (
            "https://www.shop.example/shop/",
            "fragment: https://www.shop.example",
        ),
        (
            "https://www.shop.example/?a=b",
            "fragment: https://www.shop.example",
        ),
        (
            "https://www.shop.example.",
            "must not have a dot at the end",
        ),
        ("https://user@www.shop.example", "must not carry a user"),
        (
            "https://www.shop.example, https://shop.example",
            "has a blank",
        ),
        ("https:\\\\\\\\www.shop.example", "a backslash in it"),
        ("http://www.shop.example", "must be https"),
        ("ftp://www.shop.example", "must be https"),
    ] {
        let refusal = live(origin).unwrap_err();
        assert!(
            refusal.starts_with("allowed_origins: "),
            "{origin}: {refusal}"
        );
        assert!(refusal.contains(words), "{origin}: {words} in {refusal}");
    }
    let refusal = with(
        r#"return_origins = ["http://127.0.0.1:8000"]"#,
        r#"return_origins = ["https://*.shop.example"]"#,
    )
    .unwrap_err();
    assert!(refusal.contains("return_origins"), "{refusal}");
}

#[test]
fn a_trusted_proxy_is_an_address_or_a_network() {
    const FIELD: &str = "trusted_proxies = [\"127.0.0.1/32\"]";
    let config = with(
        FIELD,
        "trusted_proxies = [\"127.0.0.1\", \"::1\", \"10.0.0.7/8\"]",
    )
    .unwrap();
    let nets: Vec<_> = config
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(nets, ["127.0.0.1/32", "::1/128", "10.0.0.0/8"]);
    for (proxy, words) in [
        ("nginx", "names are not looked up"),
        ("127.0.0.1:8080", "must not have a port"),
        ("0.0.0.0/0", "trusts every address"),
    ] {
        let refusal = with(FIELD, &format!("trusted_proxies = [\"{proxy}\"]")).unwrap_err();
        assert!(refusal.starts_with("trusted_proxies.0: "), "{refusal}");
        assert!(refusal.contains(words), "{refusal}");
    }
}

/// A call from this machine to itself never leaves the machine, whatever the public address is.
#[test]
fn a_live_server_uses_plain_http_only_for_loopback() {
    let target = |url: &str| {
        let secret = crate::webhooks::SECRET;
        parse(&format!(
            "{}[[webhooks]]\nurl = \"{url}\"\nsecret = \"{secret}\"\n",
            live_configuration()
        ))
    };
    for url in [
        "http://127.0.0.1:9000/hooks",
        "http://localhost:9000/hooks",
        "http://[::1]:9000/hooks",
        "https://www.shop.example/hooks",
    ] {
        assert!(target(url).is_ok(), "{url}");
    }
    for (url, words) in [
        (
            "http://www.shop.example/hooks",
            "plain http is taken only to a loopback address",
        ),
        (
            "http://10.0.0.5/hooks",
            "plain http is taken only to a loopback address",
        ),
        (
            "http://localhost.shop.example/hooks",
            "plain http is taken only to a loopback address",
        ),
        ("www.shop.example/hooks", "must begin with https://"),
        ("localhost:9000/hooks", "must begin with https://"),
    ] {
        let refusal = target(url).unwrap_err();
        assert!(refusal.starts_with("webhooks.url: "), "{refusal}");
        assert!(refusal.contains(words), "{url}: {refusal}");
    }
    // Buyers are sent to this address, and a loopback address would mean their own machine.
    let refusal = with(
        r#"public_base_url = "http://127.0.0.1:8080""#,
        r#"public_base_url = "https://pay.shop.example""#,
    )
    .unwrap_err();
    assert!(
        refusal.starts_with("gateway.oauth_authorize_url: "),
        "{refusal}"
    );
}
