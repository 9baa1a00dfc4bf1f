//! A combined order at the desk: its sub-orders with their numbers, and the refund of one.

use http::StatusCode;
use serde_json::Value;

use super::{buy, numbers, set};
use crate::desk::{LOOK_KEY, Person, REFUND_KEY, hidden, location, server};

const PAGE: &str = "/desk/orders/set-0001";

#[tokio::test]
async fn the_page_shows_each_sub_order_and_one_is_refunded_from_there() {
    let server = server("").await;
    buy(&server, set()).await;
    let order = server.shown("/set-0001").await;
    let person = Person::with(&server, REFUND_KEY).await;
    let page = person.page(PAGE).await;
    for no in ["pot", "cup"] {
        let (number, id) = numbers(&order, 0, no);
        for text in [no.to_owned(), number, id.unwrap()] {
            assert!(page.contains(&text), "{text} in {page}");
        }
        let link = format!("href=\"{PAGE}/refund?sub_order_no={no}\"");
        assert!(page.contains(&link), "{link} in {page}");
    }
    assert!(
        !page.contains(&format!("href=\"{PAGE}/refund\"")),
        "not the whole: {page}"
    );

    let path = format!("{PAGE}/refund");
    let first = person.page(&format!("{path}?sub_order_no=cup")).await;
    assert!(first.contains("value=\"0.10\""), "{first}");
    let refund_no = hidden(&first, "refund_no");
    let fields = |amount: &'static str| {
        [
            ("refund_no", refund_no.as_str()),
            ("sub_order_no", "cup"),
            ("amount", amount),
        ]
    };
    let too_much = person.post(&path, &fields("0.11")).await;
    assert_eq!(too_much.status, StatusCode::BAD_REQUEST);
    let second = person.post(&path, &fields("0.04")).await.text();
    assert_eq!(hidden(&second, "sub_order_no"), "cup");
    let done = [
        ("refund_no", refund_no.as_str()),
        ("sub_order_no", "cup"),
        ("amount_fen", &hidden(&second, "amount_fen")),
    ];
    for said in ["refunded", "repeated"] {
        let answer = person.post(&format!("{PAGE}/refunds"), &done).await;
        assert_eq!(location(&answer), format!("{PAGE}?said={said}"));
    }
    let order = server.shown("/set-0001").await;
    let refunds = order.json["refunds"].as_array().unwrap();
    assert_eq!(refunds.len(), 1, "{refunds:?}");
    assert_eq!(refunds[0]["sub_order_no"], "cup");
    assert_eq!(refunds[0]["amount_fen"], Value::from(4));
}

#[tokio::test]
async fn only_a_sub_order_with_money_left_has_a_form() {
    let server = server("").await;
    buy(&server, set()).await;
    let person = Person::with(&server, REFUND_KEY).await;
    for query in ["", "?sub_order_no=spoon", "?sub_order_no="] {
        let answer = person.get(&format!("{PAGE}/refund{query}")).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{query}");
    }
    let looker = Person::with(&server, LOOK_KEY).await;
    let page = looker.page(PAGE).await;
    assert!(page.contains("pot") && !page.contains("/refund"), "{page}");
}
