//! The payment links at the desk: the list, a code to print, and disabling one.

use http::{StatusCode, header};
use serde_json::json;

use super::{LOOK_KEY, Person, SETTLE_KEY, hidden, location, server};
use crate::links::{link, post_link};
use crate::test_server::MERCHANT;

#[tokio::test]
async fn the_list_has_each_link_with_its_price_its_uses_and_its_state() {
    let server = server("").await;
    let open = json!({
        "description": "<b>打赏</b>", "min_fen": 100, "max_fen": 50_000, "link_no": "window-1",
    });
    let open = link(&server, open).await;
    let fixed = json!({ "description": "一壶茶", "total_fen": 1990, "uses_max": 3 });
    link(&server, fixed).await;
    let person = Person::with(&server, LOOK_KEY).await;
    let page = person.page("/desk/links").await;
    for part in [
        &*format!("{MERCHANT}/p/{open}"),
        "&lt;b&gt;打赏",
        "window-1",
        "CN¥1.00</span> – <span class=\"money\">CN¥500.00",
        "CN¥19.90",
        "0 / 3",
        "active",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("/disable\""), "who looks cannot disable");
}

#[tokio::test]
async fn a_list_of_many_links_has_pages_and_no_link_is_left_out() {
    let server = server("").await;
    for number in 0..51 {
        let given = json!({ "description": format!("tea {number:02}."), "total_fen": 1 });
        assert_eq!(post_link(&server, &given).await.status, StatusCode::CREATED);
    }
    let person = Person::with(&server, LOOK_KEY).await;
    let newest = person.page("/desk/links").await;
    assert!(
        newest.contains("tea 50.") && !newest.contains("tea 00."),
        "{newest}"
    );
    let (_, rest) = newest.split_once("rel=\"next\" href=\"").unwrap();
    let older = person.page(rest.split_once('"').unwrap().0).await;
    assert!(
        older.contains("tea 00.") && !older.contains("tea 01."),
        "{older}"
    );
    for query in ["before=nothing", "x=1"] {
        let refused = person.get(&format!("/desk/links?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_link_is_disabled_once_however_often_the_form_is_sent_and_the_journal_has_it() {
    let server = server("").await;
    let id = link(
        &server,
        json!({ "description": "一壶茶", "total_fen": 1990 }),
    )
    .await;
    let disable = format!("/desk/links/{id}/disable");
    let looker = Person::with(&server, LOOK_KEY).await;
    let forbidden = looker.post(&disable, &[]).await;
    assert_eq!(forbidden.status, StatusCode::FORBIDDEN);
    assert_eq!(server.get(&format!("/p/{id}")).await.status, StatusCode::OK);

    let clerk = Person::with(&server, SETTLE_KEY).await;
    let page = clerk.page("/desk/links").await;
    assert!(page.contains(&format!("action=\"{disable}\"")), "{page}");
    assert_eq!(hidden(&page, "form"), clerk.form_token().await);
    for said in ["disabled", "repeated"] {
        let sent = clerk.post(&disable, &[]).await;
        assert_eq!(location(&sent), format!("/desk/links?said={said}"));
    }
    let page = clerk.page("/desk/links?said=disabled").await;
    for part in ["The link is disabled.", ">disabled</span>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("/disable\""), "{page}");
    let gone = server.get(&format!("/p/{id}")).await;
    assert_eq!(gone.status, StatusCode::GONE);
    let journal = clerk.page("/desk/journal").await;
    for part in ["disabled a payment link", &*id] {
        assert!(journal.contains(part), "{part}: {journal}");
    }
}

#[tokio::test]
async fn the_code_of_a_link_can_be_printed_and_an_unknown_link_is_refused() {
    let server = server("").await;
    let id = link(
        &server,
        json!({ "description": "一壶茶", "total_fen": 1990 }),
    )
    .await;
    let person = Person::with(&server, LOOK_KEY).await;
    let code = person.get(&format!("/desk/links/{id}/code.pdf")).await;
    assert_eq!(code.status, StatusCode::OK);
    assert_eq!(code.headers[header::CONTENT_TYPE], "application/pdf");
    assert!(code.body.starts_with(b"%PDF-"));
    let unknown = person.get("/desk/links/nothing/code.pdf").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{}", unknown.text());
    let clerk = Person::with(&server, SETTLE_KEY).await;
    let unknown = clerk.post("/desk/links/nothing/disable", &[]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{}", unknown.text());
    let unsigned = server.get(&format!("/desk/links/{id}/code.pdf")).await;
    assert!(location(&unsigned).starts_with("/desk/sign-in"));
}
