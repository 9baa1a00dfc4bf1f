//! Signing in by an API key, and who is refused.

use http::{Request, StatusCode, header};

use super::{LOOK_KEY, Person, cookie_of, key_table, location, server};
use crate::log::Log;
use crate::security::live_configuration;
use crate::test_server::{API_KEY, TestServer, form};

#[tokio::test]
async fn without_a_key_for_it_there_is_no_desk() {
    let server = TestServer::open().await;
    for path in ["/desk", "/desk/sign-in", "/desk/desk.css"] {
        assert_eq!(server.get(path).await.code(), "ROUTE_UNKNOWN", "{path}");
    }
}

#[tokio::test]
async fn a_key_of_the_desk_gets_a_cookie_that_no_script_and_no_other_site_can_use() {
    let log = Log::start();
    let server = server("").await;
    let refused = server.get("/desk").await;
    assert_eq!(location(&refused), "/desk/sign-in");
    let answer = server.form("/desk/sign-in", &[("key", LOOK_KEY)]).await;
    assert_eq!(location(&answer), "/desk");
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let (name, token) = pair.split_once('=').unwrap();
    assert_eq!((name, token.len()), ("desk", 44));
    assert_eq!(
        attributes,
        "Path=/desk; Max-Age=43200; HttpOnly; SameSite=Strict"
    );
    let person = Person::with(&server, LOOK_KEY).await;
    let page = person.get("/desk").await;
    assert_eq!(page.status, StatusCode::OK);
    for (name, expected) in [
        ("cache-control", "no-store"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; \
             form-action 'self'; frame-ancestors 'none'",
        ),
    ] {
        assert_eq!(page.headers[name], expected);
    }
    assert!(!page.text().contains("<script"), "no script at all");
    let text = log.text();
    assert!(text.contains("desk.signed_in"), "{text}");
    assert!(!text.contains(LOOK_KEY) && !text.contains(token), "{text}");
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure() {
    let key = key_table("looker", LOOK_KEY, &["desk:look"]);
    let server = TestServer::open_configured(&(live_configuration() + &key)).await;
    let answer = server.form("/desk/sign-in", &[("key", LOOK_KEY)]).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Secure-desk="), "{cookie}");
    assert!(cookie.ends_with("SameSite=Strict; Secure"), "{cookie}");
    let person = Person {
        server: &server,
        cookie: cookie_of(&answer),
    };
    person.page("/desk").await;
}

#[tokio::test]
async fn a_key_that_is_unknown_or_may_do_more_or_less_is_refused_with_the_reason() {
    let server = server(&key_table("half", "half", &["desk:refund"])).await;
    for (key, status, reason) in [
        ("nobody's", StatusCode::UNAUTHORIZED, "密钥不正确"),
        ("", StatusCode::UNAUTHORIZED, "密钥不正确"),
        // The shop's key has every scope.
        (API_KEY, StatusCode::FORBIDDEN, "还有后台以外的权限"),
        ("half", StatusCode::FORBIDDEN, "没有 desk:look 权限"),
    ] {
        let refused = server.form("/desk/sign-in", &[("key", key)]).await;
        assert_eq!(refused.status, status, "{key}");
        assert!(refused.text().contains(reason), "{key}: {}", refused.text());
        assert!(!refused.headers.contains_key(header::SET_COOKIE), "{key}");
    }
}

#[tokio::test]
async fn a_key_of_the_desk_opens_no_route_of_the_api() {
    let server = server("").await;
    for path in ["/v1/orders", "/v1/mismatches", "/v1/webhooks", "/metrics"] {
        let request = Request::get(path).header("authorization", format!("Bearer {LOOK_KEY}"));
        let refused = server
            .send(request.body(String::new().into()).unwrap())
            .await;
        assert_eq!(refused.code(), "FORBIDDEN", "{path}");
    }
}

#[tokio::test]
async fn guesses_are_limited_by_address_and_the_limit_passes() {
    let server = server("").await;
    let guess = async |peer: &str, key: &str| {
        let fields = [("key", key)];
        server
            .form_from("127.0.0.1", peer, "/desk/sign-in", &fields)
            .await
    };
    for _ in 0..10 {
        let refused = guess("198.51.100.7", "guess").await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
    let limited = guess("198.51.100.7", LOOK_KEY).await;
    assert_eq!(limited.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(limited.headers["retry-after"], "30");
    assert_eq!(location(&guess("198.51.100.8", LOOK_KEY).await), "/desk");
    server.clock.advance_ms(30_000);
    assert_eq!(location(&guess("198.51.100.7", LOOK_KEY).await), "/desk");
}

#[tokio::test]
async fn after_signing_in_a_person_comes_to_the_page_and_to_no_other_site() {
    let server = server("").await;
    let sent = server.get("/desk/orders?state=paid").await;
    assert_eq!(
        location(&sent),
        "/desk/sign-in?to=%2Fdesk%2Forders%3Fstate%3Dpaid"
    );
    for (to, expected) in [
        ("/desk/orders?state=paid", "/desk/orders?state=paid"),
        ("/desk?x=1", "/desk?x=1"),
        ("https://evil.example/", "/desk"),
        ("//evil.example/", "/desk"),
        ("/desk/\\evil.example", "/desk"),
        ("/desker", "/desk"),
        ("/desk/ä", "/desk"),
        ("", "/desk"),
    ] {
        let request = form("/desk/sign-in", &[("key", LOOK_KEY), ("to", to)]);
        assert_eq!(location(&server.send(request).await), expected, "{to}");
        server.clock.advance_ms(30_000);
    }
}

#[tokio::test]
async fn a_page_is_in_the_language_of_the_browser_until_another_one_is_chosen() {
    let server = server("").await;
    let page = async |accepted: &str, cookie: &str| {
        let request = Request::get("/desk/sign-in")
            .header(header::ACCEPT_LANGUAGE, accepted)
            .header(header::COOKIE, cookie);
        server
            .send(request.body(String::new().into()).unwrap())
            .await
            .text()
    };
    assert!(page("zh-CN", "").await.contains("<html lang=\"zh-CN\">"));
    assert!(page("en", "").await.contains("<html lang=\"en\">"));
    let fields = [("language", "en"), ("to", "/desk/orders")];
    let chosen = server.form("/desk/language", &fields).await;
    assert_eq!(location(&chosen), "/desk/orders");
    let cookie = cookie_of(&chosen);
    assert!(page("zh-CN", &cookie).await.contains("<html lang=\"en\">"));
    let forged = page("zh-CN", "desk_language=\"><script>").await;
    assert!(forged.contains("<html lang=\"zh-CN\">"), "{forged}");
}
