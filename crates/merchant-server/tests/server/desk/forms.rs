//! Forms: from which pages they count, and what a replay does.

use http::{StatusCode, header};

use super::{LOOK_KEY, OWNER_KEY, Person, location, paid_order, server};
use crate::test_server::form;

#[tokio::test]
async fn a_form_without_the_token_of_its_session_does_nothing() {
    let server = server("").await;
    paid_order(&server).await;
    let person = Person::with(&server, OWNER_KEY).await;
    let earlier = person.form_token().await;
    person.post("/desk/sign-out", &[]).await;
    let person = Person::with(&server, OWNER_KEY).await;
    let fields = [
        ("refund_no", "desk-AAAAAAAAAAAAAAAAAAAAAA"),
        ("amount_fen", "1990"),
    ];
    let path = "/desk/orders/tea-0001/refunds";
    for token in ["", "x", earlier.as_str()] {
        let with_token: Vec<_> = fields.into_iter().chain([("form", token)]).collect();
        let refused = person.send(path, &with_token).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{token}");
        assert!(
            refused.text().contains("from an earlier session"),
            "{token}"
        );
    }
    let token = person.form_token().await;
    let twice: Vec<_> = fields
        .into_iter()
        .chain([("form", token.as_str()), ("amount_fen", "1")])
        .collect();
    let refused = person.send(path, &twice).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let refunds = server.read_private("/v1/orders/tea-0001/refunds").await;
    assert_eq!(refunds.json["refunds"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing_even_with_cookie_and_token() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    let token = person.form_token().await;
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", StatusCode::FORBIDDEN),
        ("sec-fetch-site", "same-site", StatusCode::FORBIDDEN),
        ("origin", "https://evil.example", StatusCode::FORBIDDEN),
        ("origin", "null", StatusCode::FORBIDDEN),
        ("origin", "http://127.0.0.1:8080", StatusCode::OK),
        ("sec-fetch-site", "same-origin", StatusCode::OK),
    ] {
        let mut request = form("/desk/checklist", &[("form", token.as_str())]);
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, person.cookie.parse().unwrap());
        headers.insert(name, value.parse().unwrap());
        let answer = server.send(request).await;
        assert_eq!(answer.status, status, "{name}: {value}");
    }
    // Nobody can be signed in under another person's key.
    let mut foreign = form("/desk/sign-in", &[("key", LOOK_KEY)]);
    let site = "cross-site".parse().unwrap();
    foreign.headers_mut().insert("sec-fetch-site", site);
    assert_eq!(server.send(foreign).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_form_without_a_session_says_that_nothing_was_done() {
    let server = server("").await;
    for path in [
        "/desk/orders/tea-0001/refunds",
        "/desk/mismatches/1/done",
        "/desk/webhooks/x/resend",
        "/desk/refunds/x/settle",
        "/desk/sign-out",
    ] {
        let refused = server.form(path, &[]).await;
        assert_eq!(
            location(&refused),
            "/desk/sign-in?reason=not_done",
            "{path}"
        );
    }
    let page = server.get("/desk/sign-in?reason=not_done").await;
    assert!(page.text().contains("刚才的操作没有执行"));
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    let large = "a".repeat(100_000);
    let refused = person.send("/desk/sign-out", &[("form", &large)]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    person.page("/desk").await;
}
