//! With several merchants, a key opens the desk of its own merchant alone.

use http::StatusCode;

use super::{OWNER_KEY, Person, key_table, location};
use crate::merchants::{KEY, OTHER_KEY, first_table, paid, second_table, top};
use crate::test_server::TestServer;

const OTHER_OWNER_KEY: &str = "the key of the other owner";
const ALL: [&str; 3] = ["desk:look", "desk:refund", "desk:settle"];

async fn pair() -> [TestServer; 2] {
    let owner = |name: &str, key: &str| {
        key_table(name, key, &ALL).replace("[[api_keys]]", "[[merchants.api_keys]]")
    };
    let configuration = top("")
        + &first_table("")
        + &owner("first owner", OWNER_KEY)
        + &second_table("")
        + &owner("second owner", OTHER_OWNER_KEY);
    TestServer::open_pair(&configuration, [KEY, OTHER_KEY]).await
}

#[tokio::test]
async fn a_key_sees_and_changes_nothing_of_another_merchant() {
    let [first, second] = pair().await;
    paid(&second, "tea-0001").await;
    let unmatched = "INSERT INTO mismatches (merchant, out_trade_no, transaction_id, reason, resource,
                                             received_ms, no)
                     SELECT no, 'lost-0001', '42', 'number', '{}', 0, 1 FROM owner WHERE mchid = $1";
    let kept = sqlx::query(unmatched).bind(&second.mchid);
    kept.execute(&first.database().await).await.unwrap();
    let theirs = Person::with(&second, OTHER_OWNER_KEY).await;
    let transaction = second.order_at_wechat("tea-0001")["transaction_id"].clone();
    let transaction = transaction.as_str().unwrap().to_owned();
    for path in [
        "/desk/orders",
        "/desk/orders/tea-0001",
        "/desk/tasks",
        "/desk/webhooks",
    ] {
        theirs.page(path).await;
    }
    let webhooks = theirs.page("/desk/webhooks").await;
    let (_, rest) = webhooks.split_once("action=\"/desk/webhooks/").unwrap();
    let resend = format!("/desk/webhooks/{}", rest.split_once('"').unwrap().0);

    let ours = Person::with(&first, OWNER_KEY).await;
    for path in [
        "/desk",
        "/desk/orders",
        "/desk/tasks",
        "/desk/webhooks",
        "/desk/journal",
        &format!("/desk/orders?search={transaction}"),
    ] {
        let page = ours.page(path).await;
        for foreign in [
            "tea-0001\"",
            "lost-0001",
            "payment.succeeded",
            "second owner",
            "19.90",
        ] {
            assert!(!page.contains(foreign), "{path}: {foreign}");
        }
    }
    let refund = [
        ("refund_no", "desk-AAAAAAAAAAAAAAAAAAAAAA"),
        ("amount_fen", "1"),
        ("amount", "0.01"),
    ];
    for refused in [
        ours.get("/desk/orders/tea-0001").await,
        ours.get("/desk/orders/tea-0001/refund").await,
        ours.post("/desk/orders/tea-0001/refund", &refund).await,
        ours.post("/desk/orders/tea-0001/refunds", &refund).await,
        ours.post("/desk/mismatches/1/done", &[]).await,
        ours.post(&resend, &[("tries", "0")]).await,
    ] {
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text());
    }
    let tasks = theirs.page("/desk/tasks").await;
    assert!(tasks.contains("lost-0001"), "nothing changed");
    let done = theirs.post("/desk/mismatches/1/done", &[]).await;
    assert_eq!(location(&done), "/desk/tasks?said=done");
}
