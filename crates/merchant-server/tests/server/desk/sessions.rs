//! How a session ends, and where it counts.

use http::StatusCode;
use http::header;

use super::{LOOK_KEY, Person, SETTLE_KEY, key_table, keys, location, server};
use crate::test_server::{MINUTE_MS, TestServer, configuration};

#[tokio::test]
async fn a_session_ends_after_half_an_hour_without_use_and_after_twelve_hours() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    server.clock.advance_ms(29 * MINUTE_MS);
    person.page("/desk/keys").await;
    server.clock.advance_ms(30 * MINUTE_MS);
    let ended = person.get("/desk").await;
    assert_eq!(location(&ended), "/desk/sign-in?reason=idle");

    let person = Person::with(&server, LOOK_KEY).await;
    for _ in 0..35 {
        server.clock.advance_ms(20 * MINUTE_MS);
        person.page("/desk/keys").await;
    }
    server.clock.advance_ms(20 * MINUTE_MS);
    let ended = person.get("/desk").await;
    assert_eq!(location(&ended), "/desk/sign-in?reason=old");
    let said = person.page("/desk/sign-in?reason=old").await;
    assert!(said.contains("signed out after 12 hours"), "{said}");
}

#[tokio::test]
async fn signing_out_ends_the_session_everywhere_and_only_that_one() {
    let server = server("").await;
    let [person, other] = [
        Person::with(&server, LOOK_KEY).await,
        Person::with(&server, LOOK_KEY).await,
    ];
    let out = person.post("/desk/sign-out", &[]).await;
    assert_eq!(location(&out), "/desk/sign-in?reason=out");
    let cleared = out.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        cleared.starts_with("desk=; Path=/desk; Max-Age=0"),
        "{cleared}"
    );
    let ended = person.get("/desk").await;
    assert_eq!(location(&ended), "/desk/sign-in?reason=unknown");
    other.page("/desk").await;
}

#[tokio::test]
async fn a_forged_cookie_is_no_session() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    let (_, token) = person.cookie.split_once('=').unwrap();
    let mut changed = token.to_owned();
    changed.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
    for forged in [
        changed.as_str(),
        "",
        "x",
        &"a".repeat(5_000),
        "%00",
        "' OR 1=1 --",
    ] {
        let forger = Person {
            cookie: format!("desk={forged}"),
            ..person.clone()
        };
        let refused = forger.get("/desk").await;
        assert_eq!(
            location(&refused),
            "/desk/sign-in?reason=unknown",
            "{forged}"
        );
    }
    // The database has no token that could be sent.
    let pool = server.database().await;
    let kept: Vec<String> = sqlx::query_scalar("SELECT token_sha256 FROM desk_sessions")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
    let thief = Person {
        cookie: format!("desk={}", kept[0]),
        ..person.clone()
    };
    assert_eq!(thief.get("/desk").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_survives_a_restart_and_counts_at_every_server() {
    let one = server("").await;
    let cookie = Person::with(&one, LOOK_KEY).await.cookie;
    let configuration = configuration("") + &keys();
    let restarted = one.restart_with(&configuration).await;
    let person = Person {
        server: &restarted,
        cookie,
    };
    person.page("/desk").await;
    person.post("/desk/sign-out", &[]).await;
    let ended = person.get("/desk").await;
    assert_eq!(location(&ended), "/desk/sign-in?reason=unknown");
}

#[tokio::test]
async fn a_key_that_is_withdrawn_or_changed_ends_its_sessions_at_once() {
    let begun = server("").await;
    let (looker, clerk) = (
        Person::with(&begun, LOOK_KEY).await.cookie,
        Person::with(&begun, SETTLE_KEY).await.cookie,
    );
    // The looker's key is gone, and the clerk's one may only look now.
    let left = configuration("") + &key_table("clerk", SETTLE_KEY, &["desk:look"]);
    let server: TestServer = begun.reloaded_as(&left).await;
    let person = |cookie: &String| Person {
        server: &server,
        cookie: cookie.clone(),
    };
    let revoked = person(&looker).get("/desk").await;
    assert_eq!(location(&revoked), "/desk/sign-in?reason=revoked");
    let clerk = person(&clerk);
    clerk.page("/desk").await;
    let refused = clerk.post("/desk/mismatches/1/done", &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_session_belongs_to_no_address() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    for peer in ["198.51.100.7", "2001:db8::1"] {
        let token = person.form_token().await;
        let mut request = crate::test_server::form("/desk/checklist", &[("form", token.as_str())]);
        request
            .headers_mut()
            .insert(header::COOKIE, person.cookie.parse().unwrap());
        request
            .headers_mut()
            .insert("x-forwarded-for", peer.parse().unwrap());
        assert_eq!(server.send(request).await.status, StatusCode::OK, "{peer}");
    }
}
