//! `/v1/links`: what the backend may create, reads, disables and prints.

use http::StatusCode;
use qr_code::QrCode;
use serde_json::{Value, json};

use super::{Buyer, disable, link, pay, post_link, shown, tea, uses};
use crate::desk::key_table;
use crate::merchants;
use crate::test_server::{
    API_KEY, MERCHANT, MINUTE_MS, Owner, SHOP, TestServer, backend, configuration,
};

#[tokio::test]
async fn a_link_is_returned_as_it_was_given_with_its_address_and_uses() {
    let server = TestServer::open().await;
    let given = json!({
        "link_no": "table-7", "description": "一壶茶", "min_fen": 100, "max_fen": 5000,
        "uses_max": 3, "expires_at": "2026-12-31T23:59:59+08:00", "note_max_chars": 20,
        "order_expires_in_ms": 600_000, "return_url": format!("{SHOP}/table/7"),
        "success_url": format!("{SHOP}/thanks"), "products": ["native", "h5"], "attach": "room 2",
        "goods_tag": "WXG", "limit_pay": ["no_credit"], "support_fapiao": true,
    });
    let created = post_link(&server, &given).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
    let id = created.string("id");
    assert_eq!(id.len(), 22);
    let mut expected = given.clone();
    let more = json!({
        "id": id, "url": format!("{MERCHANT}/p/{id}"), "state": "active", "uses_open": 0,
        "uses_paid": 0, "created_at": "2026-11-21T09:20:00Z", "live": false,
    });
    for (name, value) in more.as_object().unwrap() {
        expected[name] = value.clone();
    }
    assert_eq!(created.json, expected);
    assert_eq!(shown(&server, id).await.json, expected);
    // The same call again is the same link, also after the link's time; another one is refused.
    server.clock.advance_ms(365 * 24 * 60 * MINUTE_MS);
    let again = post_link(&server, &given).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    assert_eq!(again.json["id"], id);
    assert_eq!(again.json["state"], "expired");
    let other = tea(&json!({ "link_no": "table-7" }));
    let other = post_link(&server, &other).await;
    assert_eq!(other.code(), "LINK_NO_USED", "{}", other.json);
    assert_eq!(other.json["error"]["field"], "link_no");
}

#[tokio::test]
async fn a_wrong_value_is_refused_by_its_field_and_nothing_is_created() {
    let server = TestServer::open().await;
    let open =
        |min: Value, max: Value| json!({ "description": "tea", "min_fen": min, "max_fen": max });
    let over = 1_000_000_001_u64;
    let amounts = [
        (tea(&json!({ "total_fen": 0 })), "total_fen"),
        (tea(&json!({ "total_fen": -1 })), "total_fen"),
        (tea(&json!({ "total_fen": 19.9 })), "total_fen"),
        (tea(&json!({ "total_fen": "1990" })), "total_fen"),
        (tea(&json!({ "total_fen": over })), "total_fen"),
        (tea(&json!({ "min_fen": 1 })), "min_fen"),
        (tea(&json!({ "max_fen": 1 })), "max_fen"),
        (open(json!(500), json!(100)), "min_fen"),
        (open(json!(0), json!(100)), "min_fen"),
        (open(json!(1), json!(over)), "max_fen"),
        (open(json!(1), json!(-100)), "max_fen"),
        (json!({ "description": "tea" }), "total_fen"),
        (json!({ "description": "tea", "min_fen": 1 }), "max_fen"),
    ];
    for (given, field) in amounts {
        let refused = post_link(&server, &given).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{given}");
        assert_eq!(refused.code(), "AMOUNT_INVALID", "{given}");
        assert_eq!(refused.json["error"]["field"], field, "{given}");
    }
    let long = "x".repeat(128);
    let others = [
        ("link_no", json!("7"), "INVALID_REQUEST"),
        ("link_no", json!("a/b/c/d"), "INVALID_REQUEST"),
        ("description", json!(""), "DESCRIPTION_INVALID"),
        ("description", json!(long), "DESCRIPTION_INVALID"),
        ("uses_max", json!(0), "INVALID_REQUEST"),
        ("uses_max", json!(100_001), "INVALID_REQUEST"),
        ("expires_at", json!("tomorrow"), "INVALID_REQUEST"),
        (
            "expires_at",
            json!("2026-11-21T09:20:00Z"),
            "INVALID_REQUEST",
        ),
        ("note_max_chars", json!(0), "INVALID_REQUEST"),
        ("note_max_chars", json!(201), "INVALID_REQUEST"),
        ("order_expires_in_ms", json!(59_999), "INVALID_REQUEST"),
        (
            "return_url",
            json!("https://evil.example/"),
            "RETURN_URL_REFUSED",
        ),
        (
            "success_url",
            json!("javascript:alert(1)"),
            "RETURN_URL_REFUSED",
        ),
        ("products", json!([]), "INVALID_REQUEST"),
        ("products", json!(["app"]), "INVALID_REQUEST"),
        ("appids", json!(["wx0"]), "INVALID_REQUEST"),
        ("sub_mchid", json!("1900000109"), "INVALID_REQUEST"),
        ("attach", json!(long), "INVALID_REQUEST"),
        ("goods_tag", json!("x".repeat(33)), "INVALID_REQUEST"),
        ("order_no", json!("tea-0001"), "INVALID_REQUEST"),
    ];
    for (field, value, code) in others {
        let refused = post_link(&server, &tea(&json!({ field: value }))).await;
        assert_eq!(refused.code(), code, "{field} {value}: {}", refused.json);
        assert_eq!(refused.json["error"]["field"], field, "{value}");
    }
    let list = server.read_private("/v1/links").await;
    assert_eq!(list.json, json!({ "links": [] }));
}

#[tokio::test]
async fn links_are_listed_newest_first_page_by_page_and_found_by_number() {
    let server = TestServer::open().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let link_no = format!("table-{number}");
        ids.push(link(&server, tea(&json!({ "link_no": link_no }))).await);
    }
    ids.reverse();
    let mut found = Vec::new();
    let mut path = "/v1/links?limit=2".to_owned();
    loop {
        let page = server.read_private(&path).await;
        let links = page.json["links"].as_array().unwrap().iter();
        found.extend(links.map(|link| link["id"].as_str().unwrap().to_owned()));
        match page.json["next_before"].as_str() {
            Some(before) => path = format!("/v1/links?limit=2&before={before}"),
            None => break,
        }
    }
    assert_eq!(found, ids);
    let one = server.read_private("/v1/links?link_no=table-1").await;
    assert_eq!(one.json["links"][0]["id"], *ids[3]);
    assert_eq!(one.json["links"].as_array().unwrap().len(), 1);
    for (query, field) in [
        ("before=nobodys", "before"),
        ("limit=0", "limit"),
        ("link_no=7", "link_no"),
        ("state=active", "state"),
    ] {
        let refused = server.read_private(&format!("/v1/links?{query}")).await;
        assert_eq!(refused.code(), "INVALID_REQUEST", "{query}");
        assert_eq!(refused.json["error"]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn the_orders_of_a_link_are_found_by_it() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({}))).await;
    let other = link(&server, tea(&json!({}))).await;
    server.default_order().await;
    for id in [&id, &id, &other] {
        Buyer::of(&server, id).order(&[]).await;
    }
    for (query, expected) in [
        ("", 2),
        ("&state=open", 2),
        ("&state=paid", 0),
        ("&limit=1", 1),
    ] {
        let list = server
            .read_private(&format!("/v1/orders?link_id={id}{query}"))
            .await;
        let found = list.json["orders"].as_array().unwrap().len();
        assert_eq!(found, expected, "{query}");
    }
    let refused = server.read_private("/v1/orders?link_id=nobodys").await;
    assert_eq!(refused.json["error"]["field"], "link_id");
}

#[tokio::test]
async fn a_disabled_link_stays_disabled_and_its_open_orders_can_be_paid() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({}))).await;
    let token = Buyer::of(&server, &id).order(&[]).await;
    let disabled = disable(&server, &id).await;
    assert_eq!(disabled.string("state"), "disabled");
    let at = disabled.string("disabled_at").to_owned();
    server.clock.advance_ms(MINUTE_MS);
    let again = disable(&server, &id).await;
    assert_eq!(again.string("disabled_at"), at, "harmless to repeat");
    pay(&server, &token).await;
    assert_eq!(uses(&server, &id).await, ("disabled".to_owned(), 0, 1));
}

#[tokio::test]
async fn a_printed_code_leads_to_the_page_and_has_the_size_that_was_requested() {
    let server = TestServer::open().await;
    let id = link(&server, tea(&json!({ "link_no": "table-7" }))).await;
    let code = QrCode::encode(&format!("{MERCHANT}/p/{id}")).unwrap();
    let picture = async |rest: &str| {
        let answer = server
            .read_private(&format!("/v1/links/{id}/code.{rest}"))
            .await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer
    };
    let svg = picture("svg").await;
    assert_eq!(svg.headers["content-type"], "image/svg+xml");
    assert!(svg.text().contains(&code.path_data()), "{}", svg.text());
    assert!(svg.text().contains("width=\"60mm\""), "{}", svg.text());
    assert!(
        picture("svg?side_mm=40")
            .await
            .text()
            .contains("width=\"40mm\"")
    );
    let pdf = picture("pdf").await;
    assert_eq!(pdf.headers["content-type"], "application/pdf");
    let pdf = pdf.text();
    assert!(pdf.starts_with("%PDF-"), "{pdf}");
    assert!(pdf.contains("(table-7) Tj"), "{pdf}");
    assert!(pdf.contains("(CNY 19.90) Tj"), "{pdf}");
    for query in ["side_mm=29", "side_mm=181", "side_mm=x", "width=40"] {
        for kind in ["svg", "pdf"] {
            let refused = picture(&format!("{kind}?{query}")).await;
            assert_eq!(refused.code(), "INVALID_REQUEST", "{kind} {query}");
        }
    }
    // A link stays printable in every state.
    disable(&server, &id).await;
    assert!(picture("svg").await.text().contains(&code.path_data()));
}

#[tokio::test]
async fn a_key_does_what_its_scope_says_and_no_more() {
    const READER: &str = "the key of a reader";
    const WRITER: &str = "the key of a writer";
    let keys = key_table("reader", READER, &["links:read"])
        + &key_table("writer", WRITER, &["links:write"]);
    let server = TestServer::open_configured(&(configuration("") + &keys)).await;
    let id = link(&server, tea(&json!({}))).await;
    let body = tea(&json!({})).to_string();
    let calls = [
        ("GET", "/v1/links".to_owned(), false),
        ("GET", format!("/v1/links/{id}"), false),
        ("GET", format!("/v1/links/{id}/code.svg"), false),
        ("GET", format!("/v1/links/{id}/code.pdf"), false),
        ("POST", "/v1/links".to_owned(), true),
        ("POST", format!("/v1/links/{id}/disable"), true),
    ];
    for (method, path, is_writing) in calls {
        for (key, may) in [(READER, !is_writing), (WRITER, is_writing)] {
            let mut request = backend(&path, key, body.clone());
            *request.method_mut() = method.parse().unwrap();
            let answer = server.send(request).await;
            assert_eq!(answer.status.is_success(), may, "{method} {path} {key}");
            assert_eq!(answer.code() == "FORBIDDEN", !may, "{method} {path} {key}");
        }
    }
}

#[tokio::test]
async fn a_link_belongs_to_one_of_several_merchants() {
    let [first, second] = merchants::open("").await;
    let id = link(&second, tea(&json!({}))).await;
    for path in [
        format!("/v1/links/{id}"),
        format!("/v1/links/{id}/code.svg"),
    ] {
        assert_eq!(first.read_private(&path).await.code(), "LINK_UNKNOWN");
        assert!(second.read_private(&path).await.status.is_success());
    }
    let disable = backend(&format!("/v1/links/{id}/disable"), API_KEY, "");
    assert_eq!(first.send(disable).await.code(), "LINK_UNKNOWN");
    let before = format!("/v1/links?before={id}");
    assert_eq!(first.read_private(&before).await.code(), "INVALID_REQUEST");
    assert_eq!(
        first.read_private("/v1/links").await.json["links"],
        json!([])
    );
    // Buyers of both come to one address.
    let token = Buyer::of(&first, &id).order(&[]).await;
    let order_no = super::order_no(&second, &token).await;
    let theirs = second.shown(&format!("/{order_no}")).await;
    assert_eq!(theirs.string("link_id"), id);
    assert_eq!(
        first.shown(&format!("/{order_no}")).await.code(),
        "ORDER_UNKNOWN"
    );
}

#[tokio::test]
async fn a_provider_names_the_sub_merchant_of_a_link() {
    let configuration = Owner::Provider.configuration("", "");
    let server = TestServer::open_configured(&configuration).await;
    let missing = post_link(&server, &tea(&json!({}))).await;
    assert_eq!(missing.json["error"]["field"], "sub_mchid");
    let sub_mchid = crate::test_server::sub_merchant(1).sub_mchid;
    let id = link(&server, tea(&json!({ "sub_mchid": sub_mchid }))).await;
    let token = Buyer::of(&server, &id).order(&[]).await;
    pay(&server, &token).await;
    let order_no = super::order_no(&server, &token).await;
    let order = server.shown(&format!("/{order_no}")).await;
    assert_eq!(order.string("sub_mchid"), sub_mchid);
}
