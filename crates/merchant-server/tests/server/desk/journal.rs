//! The journal: who did what, and when, and how it ended.

use http::StatusCode;

use super::{LOOK_KEY, OWNER_KEY, Person, REFUND_KEY, paid_order, server};
use crate::test_server::MINUTE_MS;

type Row = (String, String, Option<String>, Option<String>);

#[tokio::test]
async fn each_action_is_in_the_journal_with_its_key_its_order_and_its_outcome() {
    let server = server("").await;
    paid_order(&server).await;
    let person = Person::with(&server, REFUND_KEY).await;
    let fields = person.refund_fields("tea-0001", "3.33", "").await;
    let path = "/desk/orders/tea-0001/refunds";
    let form = [("refund_no", &*fields[0]), ("amount_fen", &*fields[1])];
    person.post(path, &form).await;
    person.post(path, &form).await;
    let too_much = [
        ("refund_no", "desk-AAAAAAAAAAAAAAAAAAAAAA"),
        ("amount_fen", "1990"),
    ];
    person.post(path, &too_much).await;
    person.post("/desk/sign-out", &[]).await;
    let pool = server.database().await;
    let rows: Vec<Row> =
        sqlx::query_as("SELECT key_name, action, order_no, outcome FROM desk_actions ORDER BY id")
            .fetch_all(&pool)
            .await
            .unwrap();
    let row = |action: &str, order_no: Option<&str>, outcome: &str| {
        let order_no = order_no.map(str::to_owned);
        (
            "cashier".to_owned(),
            action.to_owned(),
            order_no,
            Some(outcome.to_owned()),
        )
    };
    let order = Some("tea-0001");
    assert_eq!(
        rows,
        [
            row("sign_in", None, "done"),
            row("refund", order, "done"),
            row("refund", order, "repeated"),
            row("refund", order, "REFUND_TOO_MUCH"),
            row("sign_out", None, "done"),
        ]
    );
    let owner = Person::with(&server, OWNER_KEY).await;
    let page = owner.page("/desk/journal").await;
    for part in [
        "cashier",
        "owner",
        "refunded",
        "signed out",
        "REFUND_TOO_MUCH",
        &fields[0],
        "2026-11-21 17:20",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn the_journal_is_read_page_by_page() {
    let server = server("").await;
    let person = Person::with(&server, LOOK_KEY).await;
    for _ in 0..55 {
        server.clock.advance_ms(MINUTE_MS);
        Person::with(&server, LOOK_KEY).await;
        person.page("/desk/keys").await;
    }
    let count = |page: &str| page.matches("signed in</div>").count();
    let first = person.page("/desk/journal").await;
    assert_eq!(count(&first), 50);
    let (_, next) = first.split_once("rel=\"next\" href=\"").unwrap();
    let next = next.split_once('"').unwrap().0;
    assert_eq!(count(&person.page(next).await), 6);
    for query in ["before=x", "before=-1", "x=1"] {
        let refused = person.get(&format!("/desk/journal?{query}")).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}
