//! `/p/{id}`: what buyers see, what they send, and what is refused.

use axum::body::Body;
use buyer_words::{
    BACK_TO_ORDER, BACK_TO_SHOP, LINK_AMOUNT, LINK_AMOUNT_REFUSED, LINK_DISABLED, LINK_EXPIRED,
    LINK_FORM_REFUSED, LINK_NOTE_REFUSED, LINK_UNKNOWN, LINK_USED_UP, PAY, TEST_RIBBON, TOO_OFTEN,
    Words,
};
use http::{Request, StatusCode, header};
use serde_json::json;

use super::{Buyer, disable, key_of, link, order_no, orders, pay, tea, token_of};
use crate::desk::{LOOK_KEY, key_table};
use crate::test_server::{Answer, MINUTE_MS, SHOP, TestServer, configuration};
use crate::version_2::Api;
use crate::webhooks::{SECRET, TARGET};

const BUYERS_NOTE: &str = "<b>7 号桌</b> & \"窗边\" 🍵";
const ESCAPED: &str = "&lt;b&gt;7 号桌&lt;/b&gt; &amp; &quot;窗边&quot; 🍵";

#[tokio::test]
async fn an_order_of_a_link_is_paid_like_any_other_by_both_versions() {
    for api in Api::ALL {
        let server = api.open().await;
        let id = link(&server, tea(&json!({ "uses_max": 1 }))).await;
        let token = Buyer::of(&server, &id).order(&[]).await;
        pay(&server, &token).await;
        let paid = super::uses(&server, &id).await;
        assert_eq!(paid, ("used_up".to_owned(), 0, 1), "{api:?}");
    }
}

#[tokio::test]
async fn the_note_reaches_the_backend_as_it_was_written_and_is_escaped_on_every_page() {
    let target = format!("[[webhooks]]\nurl = \"{TARGET}\"\nsecret = \"{SECRET}\"\n");
    let desk = key_table("looker", LOOK_KEY, &["desk:look"]);
    let server = TestServer::open_configured(&(configuration("") + &desk + &target)).await;
    let given = json!({ "description": "<i>tea</i>", "max_fen": 5000, "note_max_chars": 40 });
    let id = link(&server, given).await;
    let mut buyer = Buyer::of(&server, &id);
    let again = buyer
        .send(
            &buyer.key().await,
            &[("amount", "<script>"), ("note", BUYERS_NOTE)],
        )
        .await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    let again = again.text();
    assert!(again.contains(&format!("value=\"{ESCAPED}\"")), "{again}");
    assert!(again.contains("value=\"&lt;script&gt;\""), "{again}");
    assert!(again.contains("&lt;i&gt;tea&lt;/i&gt;"), "{again}");

    let token = buyer
        .order(&[("amount", "12.5"), ("note", BUYERS_NOTE)])
        .await;
    pay(&server, &token).await;
    let number = order_no(&server, &token).await;
    let order = server.shown(&format!("/{number}")).await;
    assert_eq!(order.string("note"), BUYERS_NOTE);
    assert_eq!(order.string("link_id"), id);
    assert_eq!(order.number("total_fen"), 1250);
    server.later(0).await;
    let message = server.backend.take().remove(0).json();
    assert_eq!(message["type"], "payment.succeeded");
    assert_eq!(message["data"]["note"], BUYERS_NOTE);
    assert_eq!(message["data"]["link_id"], *id);

    let signed_in = server.form("/desk/sign-in", &[("key", LOOK_KEY)]).await;
    let cookie = signed_in.headers[header::SET_COOKIE].clone();
    let page = Request::get(format!("/desk/orders/{number}")).header(header::COOKIE, cookie);
    let page = server.send(page.body(Body::empty()).unwrap()).await.text();
    assert!(page.contains(ESCAPED) && !page.contains("<b>7"), "{page}");
    for sent in server.wechat.take_sent() {
        let body = String::from_utf8_lossy(&sent.body).into_owned();
        assert!(
            !body.contains("窗边"),
            "WeChat does not get the note: {body}"
        );
    }
}

#[tokio::test]
async fn a_look_makes_no_order_whoever_looks() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({ "uses_max": 1, "note_max_chars": 5 }))).await;
    let path = format!("/p/{id}");
    for (method, name, value) in [
        ("GET", "accept", "*/*"),
        ("GET", "sec-purpose", "prefetch;prerender"),
        ("GET", "purpose", "preview"),
        ("GET", "user-agent", "facebookexternalhit/1.1"),
        ("HEAD", "user-agent", "Mozilla/5.0 MicroMessenger/8.0.61"),
        ("GET", "cookie", "link_order=nobodys"),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(&path)
            .header(name, value);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{method} {name}");
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
    let elsewhere = format!("{path}?key=AAAAAAAAAAAAAAAAAAAAAA&amount=1");
    assert_eq!(server.get(&elsewhere).await.status, StatusCode::OK);
    assert_eq!(orders(&server).await, 0);
    assert_eq!(server.wechat.take_sent(), []);
    assert_eq!(super::uses(&server, &id).await, ("active".to_owned(), 0, 0));
}

#[tokio::test]
async fn the_page_and_its_redirect_have_strict_headers() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({}))).await;
    let mut buyer = Buyer::of(&server, &id);
    let page = buyer.open().await;
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for rule in [
        "default-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ] {
        assert!(policy.contains(rule), "{rule} in {policy}");
    }
    assert!(!policy.contains("script-src"), "{policy}");
    let ordered = buyer.press(&[]).await;
    let cookie = ordered.headers[header::SET_COOKIE].to_str().unwrap();
    let token = token_of(&ordered);
    let expected =
        format!("link_order={token}; Path=/p/{id}; Max-Age=86400; HttpOnly; SameSite=Lax");
    assert_eq!(cookie, expected);
    for answer in [page, ordered, server.get("/p/nobodys").await] {
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["referrer-policy"], "same-origin");
        assert_eq!(answer.headers["x-frame-options"], "DENY");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn a_page_speaks_its_readers_language_and_needs_no_script() {
    let server = TestServer::open().await;
    let given =
        json!({ "description": "tea", "min_fen": 100, "max_fen": 500_000, "note_max_chars": 9 });
    let id = link(&server, given).await;
    for (language, tag, bounds, pay) in [
        ("zh-CN", "zh-CN", "¥1.00 – ¥5,000.00", PAY.zh_cn),
        ("zh-HK", "zh-Hant", "CN¥1.00 – CN¥5,000.00", PAY.zh_hant),
        ("en", "en", "CN¥1.00 – CN¥5,000.00", PAY.en),
    ] {
        let page = Buyer::of(&server, &id)
            .reading(language)
            .open()
            .await
            .text();
        for expected in [
            &format!("<html lang=\"{tag}\">"),
            bounds,
            pay,
            "maxlength=\"9\"",
        ] {
            assert!(page.contains(expected), "{expected} in {page}");
        }
        assert!(!page.contains("<script"), "{page}");
        let ribbon = match language {
            "zh-CN" => TEST_RIBBON.zh_cn,
            "zh-HK" => TEST_RIBBON.zh_hant,
            _ => TEST_RIBBON.en,
        };
        assert!(page.contains(ribbon), "{ribbon} in {page}");
    }
}

/// The page after a form that makes no order, and what it says.
#[track_caller]
fn says(answer: &Answer, status: StatusCode, words: Words) {
    assert_eq!(answer.status, status, "{}", answer.text());
    let page = answer.text();
    assert!(page.contains(words.zh_cn), "{} in {page}", words.zh_cn);
}

#[tokio::test]
async fn an_amount_or_note_out_of_bounds_shows_the_form_again() {
    let server = TestServer::open().await;
    let given =
        json!({ "description": "tea", "min_fen": 100, "max_fen": 5000, "note_max_chars": 4 });
    let id = link(&server, given).await;
    let buyer = Buyer::of(&server, &id);
    let cases: [(&[(&str, &str)], Words); 10] = [
        (&[], LINK_AMOUNT_REFUSED),
        (&[("amount", "")], LINK_AMOUNT_REFUSED),
        (&[("amount", "0")], LINK_AMOUNT_REFUSED),
        (&[("amount", "-5")], LINK_AMOUNT_REFUSED),
        (&[("amount", "0.99")], LINK_AMOUNT_REFUSED),
        (&[("amount", "50.01")], LINK_AMOUNT_REFUSED),
        (&[("amount", "12.345")], LINK_AMOUNT_REFUSED),
        (&[("amount", "99999999999999999999")], LINK_AMOUNT_REFUSED),
        (
            &[("amount", "5"), ("note", "五个汉字啊")],
            LINK_NOTE_REFUSED,
        ),
        (
            &[("amount", "5"), ("note", "a\u{202e}b")],
            LINK_NOTE_REFUSED,
        ),
    ];
    for (fields, words) in cases {
        let refused = buyer.send(&buyer.key().await, fields).await;
        says(&refused, StatusCode::BAD_REQUEST, words);
        says(&refused, StatusCode::BAD_REQUEST, LINK_AMOUNT);
        assert!(
            refused.text().contains("aria-invalid=\"true\""),
            "{fields:?}"
        );
    }
    // A form of nobody's is shown again with a key.
    for key in ["", "short", "<script>"] {
        let refused = buyer.send(key, &[("amount", "5")]).await;
        says(&refused, StatusCode::BAD_REQUEST, LINK_FORM_REFUSED);
        let key = key_of(&refused.text());
        assert_eq!(key.len(), 22);
    }
    assert_eq!(orders(&server).await, 0);
    let key = buyer.key().await;
    let fields = [("amount", "￥５０元"), ("note", "四个汉字")];
    token_of(&buyer.send(&key, &fields).await);
}

#[tokio::test]
async fn a_fixed_price_is_the_merchants_whatever_the_form_says() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({}))).await;
    let buyer = Buyer::of(&server, &id);
    let fields = [("amount", "0.01"), ("total_fen", "1"), ("description", "x")];
    let token = token_of(&buyer.send(&buyer.key().await, &fields).await);
    let checkout = server.checkout(&token).await;
    assert_eq!(checkout.number("total_fen"), 1990);
    assert_eq!(checkout.string("description"), "一壶茶");
    let noted = buyer.send(&buyer.key().await, &[("note", "hello")]).await;
    says(&noted, StatusCode::BAD_REQUEST, LINK_NOTE_REFUSED);
}

#[tokio::test]
async fn a_link_that_makes_no_order_says_why_and_leads_back() {
    let server = TestServer::open().await;
    let disabled = link(&server, tea(&json!({}))).await;
    let expired = link(
        &server,
        tea(&json!({ "expires_at": "2026-11-21T09:30:00Z" })),
    )
    .await;
    let used_up = link(&server, tea(&json!({ "uses_max": 1 }))).await;
    let keys = [&disabled, &expired, &used_up].map(|id| Buyer::of(&server, id));
    let mut opened = Vec::new();
    for buyer in &keys {
        opened.push(buyer.key().await);
    }
    pay(&server, &Buyer::of(&server, &used_up).order(&[]).await).await;
    disable(&server, &disabled).await;
    server.clock.advance_ms(11 * MINUTE_MS);
    let way = format!("href=\"{SHOP}\"");
    let cases = [LINK_DISABLED, LINK_EXPIRED, LINK_USED_UP];
    for ((buyer, key), words) in keys.iter().zip(&opened).zip(cases) {
        // The page that is opened now, and the form of a page that was opened before.
        for answer in [buyer.open().await, buyer.send(key, &[]).await] {
            says(&answer, StatusCode::GONE, words);
            says(&answer, StatusCode::GONE, BACK_TO_SHOP);
            let page = answer.text();
            assert!(page.contains(&way) && !page.contains("<form"), "{page}");
        }
    }
    for id in ["nobodys", "AAAAAAAAAAAAAAAAAAAAAA", "%FF", "%3Cscript%3E"] {
        let unknown = [
            server.get(&format!("/p/{id}")).await,
            server.form(&format!("/p/{id}"), &[("key", "x")]).await,
        ];
        for answer in unknown {
            says(&answer, StatusCode::NOT_FOUND, LINK_UNKNOWN);
            assert!(answer.text().contains(&way), "{}", answer.text());
        }
    }
}

#[tokio::test]
async fn the_links_own_address_leads_back_where_it_has_one() {
    let server = TestServer::open().await;
    let return_url = format!("{SHOP}/table?n=7&x=\"");
    let given = tea(&json!({ "return_url": return_url, "uses_max": 1 }));
    let id = link(&server, given).await;
    let page = Buyer::of(&server, &id).open().await.text();
    let way = format!("href=\"{SHOP}/table?n=7&amp;x=&quot;\"");
    assert!(page.contains(&way), "{page}");
}

#[tokio::test]
async fn a_form_of_another_site_makes_nothing_and_leads_to_the_page() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({}))).await;
    let buyer = Buyer::of(&server, &id);
    let key = buyer.key().await;
    for (name, value, is_ours) in [
        ("origin", "https://evil.example", false),
        ("origin", "null", false),
        ("sec-fetch-site", "cross-site", false),
        ("sec-fetch-site", "none", false),
        ("sec-fetch-site", "same-origin", true),
        ("origin", "http://127.0.0.1:8080", true),
    ] {
        let mut request = buyer.request(&key, &[]);
        let name: header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = server.send(request).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{value}");
        let location = answer.headers[header::LOCATION].to_str().unwrap();
        assert_eq!(location.starts_with("/c/"), is_ours, "{value}: {location}");
        assert_eq!(location == format!("/p/{id}"), !is_ours, "{value}");
        assert_eq!(orders(&server).await, usize::from(is_ours), "{value}");
    }
}

#[tokio::test]
async fn a_buyer_who_comes_back_finds_the_order_again() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({}))).await;
    let other = link(&server, tea(&json!({}))).await;
    let mut buyer = Buyer::of(&server, &id);
    let token = buyer.order(&[]).await;
    let way = format!("href=\"/c/{token}\"");
    let page = buyer.open().await.text();
    assert!(
        page.contains(&way) && page.contains(BACK_TO_ORDER.zh_cn),
        "{page}"
    );
    // Another link does not show it, even if a browser sends the cookie.
    let elsewhere = Buyer {
        id: other,
        ..buyer.clone()
    };
    assert!(!elsewhere.open().await.text().contains(&way));
    let stranger = Buyer::of(&server, &id).open().await.text();
    assert!(!stranger.contains(&way), "{stranger}");
    server.later(40 * MINUTE_MS).await;
    assert!(!buyer.open().await.text().contains(&way), "it is closed");
}

#[tokio::test]
async fn one_address_makes_so_many_orders_and_then_waits() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({}))).await;
    let path = format!("/p/{id}");
    let send = async |peer: &str| {
        let key = Buyer::of(&server, &id).key().await;
        server.form_from(peer, "", &path, &[("key", &key)]).await
    };
    for _ in 0..30 {
        token_of(&send("203.0.113.9").await);
    }
    let refused = send("203.0.113.9").await;
    says(&refused, StatusCode::TOO_MANY_REQUESTS, TOO_OFTEN);
    assert_eq!(refused.headers["retry-after"], "2");
    token_of(&send("203.0.113.10").await);
    server.clock.advance_ms(2_000);
    token_of(&send("203.0.113.9").await);
}
