//! What can be shared, refunded and released, and what is refused with which numbers.

use http::StatusCode;
use serde_json::{Value, json};

use super::{news, share_body, sold, to_supplier};
use crate::test_server::{API_KEY, Answer, MINUTE_MS, TestServer, backend};

async fn refund(server: &TestServer, refund_no: &str, amount_fen: u64) -> Answer {
    let body = json!({ "refund_no": refund_no, "amount_fen": amount_fen });
    let path = "/v1/orders/tea-0001/refunds";
    server.send(backend(path, API_KEY, body.to_string())).await
}

fn message(answer: &Answer) -> &str {
    answer.json["error"]["message"].as_str().unwrap()
}

#[tokio::test]
async fn an_order_without_the_flag_or_without_a_payment_is_not_shared() {
    for settle_info in [json!({}), json!({ "profit_sharing": false })] {
        let server = TestServer::open().await;
        server.sell_held(&settle_info).await;
        let refused = server.ask_share(&share_body("P-1", 800)).await;
        assert_eq!(refused.code(), "ORDER_NOT_FROZEN", "{}", refused.json);
        assert!(message(&refused).contains("settle_info.profit_sharing"));
        assert_eq!(server.ask_unfreeze("P-1").await.code(), "ORDER_NOT_FROZEN");
        let list = server.shares().await;
        assert_eq!(list.json["frozen"], false);
        assert_eq!(list.number("shareable_fen"), 0);
    }
    let server = TestServer::open().await;
    server.default_order().await;
    let unpaid = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(unpaid.code(), "ORDER_NOT_PAID");
    assert_eq!(server.shares().await.json["shares"], json!([]));
}

#[tokio::test]
async fn shares_that_come_to_more_than_is_left_are_refused_with_the_numbers() {
    let server = sold().await;
    let too_much = server.ask_share(&share_body("P-1", 1_991)).await;
    assert_eq!(too_much.status, StatusCode::CONFLICT);
    assert_eq!(too_much.code(), "SHARE_TOO_MUCH");
    assert_eq!(too_much.json["error"]["field"], "receivers");
    assert_eq!(
        message(&too_much),
        "receivers come to 1991 fen, and 1990 fen are left to share: the payment less its refunds \
         and its earlier shares"
    );
    assert_eq!(
        refund(&server, "R-1", 490).await.status,
        StatusCode::CREATED
    );
    server.ask_share(&share_body("P-1", 800)).await;
    let two = json!({ "share_no": "P-2", "receivers": [to_supplier(700), to_supplier(1)] });
    let refused = server.ask_share(&two).await;
    assert!(message(&refused).contains("701 fen, and 700 fen are left"));
    assert_eq!(server.shares().await.number("shareable_fen"), 700);
    assert_eq!(server.wechat.take_kinds(), ["refund", "share"]);
}

#[tokio::test]
async fn a_wrong_field_is_refused_by_its_place_and_nothing_is_recorded() {
    let server = sold().await;
    let table: [(&str, Value, &str, &str); 9] = [
        ("/share_no", json!("P 1"), "share_no", "[0-9a-zA-Z_"),
        ("/share_no", json!("x".repeat(65)), "share_no", "at most 64"),
        ("/receivers", json!([]), "receivers", "must not be empty"),
        (
            "/receivers",
            json!(vec![to_supplier(1); 51]),
            "receivers",
            "at most 50",
        ),
        (
            "/receivers/0/amount_fen",
            json!(0),
            "receivers[0].amount_fen",
            "at least 1",
        ),
        (
            "/receivers/0/account",
            json!("wx-1"),
            "receivers[0].account",
            "[0-9]",
        ),
        (
            "/receivers/0/reason",
            json!("茶".repeat(27)),
            "receivers[0].reason",
            "at most 80 bytes",
        ),
        (
            "/receivers/0/reason",
            json!(""),
            "receivers[0].reason",
            "must not be empty",
        ),
        (
            "/receivers/0/type",
            json!("PERSONAL_WECHATID"),
            "receivers[0].type",
            "must be",
        ),
    ];
    for (pointer, value, field, rule) in table {
        let mut body = share_body("P-1", 800);
        *body.pointer_mut(pointer).unwrap() = value;
        let refused = server.ask_share(&body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{pointer}");
        assert_eq!(refused.json["error"]["field"], field);
        assert!(message(&refused).contains(rule), "{}", refused.json);
    }
    let openid = json!({
        "share_no": "P-1",
        "receivers": [{
            "type": "PERSONAL_SUB_OPENID", "account": "oX", "amount_fen": 1, "reason": "x",
        }],
    });
    let refused = server.ask_share(&openid).await;
    assert!(message(&refused).contains("sub_appid"), "{}", refused.json);
    assert_eq!(server.shares().await.json["shares"], json!([]));
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_refund_takes_no_shared_money_until_the_rest_is_released() {
    let server = sold().await;
    server.ask_share(&share_body("P-1", 800)).await;
    server.settled().await;
    let refused = refund(&server, "R-1", 1_191).await;
    assert_eq!(refused.code(), "REFUND_TOO_MUCH", "{}", refused.json);
    let said = message(&refused);
    assert!(
        said.contains("1190 fen, because 800 fen are shared"),
        "{said}"
    );
    let list = server.shown("/tea-0001/refunds").await;
    assert_eq!(list.number("refundable_fen"), 1_190);
    assert_eq!(
        refund(&server, "R-1", 190).await.status,
        StatusCode::CREATED
    );

    assert_eq!(server.ask_unfreeze("F-1").await.status, StatusCode::CREATED);
    let still = refund(&server, "R-2", 1_001).await;
    assert_eq!(
        still.code(),
        "REFUND_TOO_MUCH",
        "WeChat is not done with it"
    );
    server.settled().await;
    assert_eq!(server.share_state("F-1").await, "finished");
    server.later(MINUTE_MS).await;
    let whole = refund(&server, "R-2", 1_800).await;
    assert_eq!(whole.status, StatusCode::CREATED, "{}", whole.json);
    assert_eq!(whole.string("state"), "processing");
}

#[tokio::test]
async fn returned_money_is_not_held_again() {
    let server = sold().await;
    server.ask_share(&share_body("P-1", 800)).await;
    server.settled().await;
    server.ask_return("P-1", "Z-1", 800).await;
    server.settled().await;
    assert_eq!(server.share("Z-1").await["state"], "finished");
    let list = server.shares().await;
    assert_eq!(list.number("shareable_fen"), 1_190);
    assert_eq!(
        refund(&server, "R-1", 1_191).await.code(),
        "REFUND_TOO_MUCH"
    );
}

#[tokio::test]
async fn nothing_is_shared_after_the_rest_is_released() {
    let server = sold().await;
    let mut last = share_body("P-1", 800);
    last["unfreeze_rest"] = true.into();
    let asked = server.ask_share(&last).await;
    assert_eq!(asked.string("kind"), "share_and_unfreeze");
    for _ in 0..2 {
        let refused = server.ask_share(&share_body("P-2", 1)).await;
        assert_eq!(refused.code(), "ORDER_NOT_FROZEN", "{}", refused.json);
        assert!(message(&refused).contains("released"), "{}", refused.json);
        assert_eq!(server.ask_unfreeze("F-1").await.code(), "ORDER_NOT_FROZEN");
        server.settled().await;
    }
    let share = server.share("P-1").await;
    let receivers = share["receivers"].as_array().unwrap();
    assert_eq!(receivers.len(), 1, "the merchant itself is no receiver");
    assert_eq!(share["receivers"][0]["result"], "succeeded");
    assert_eq!(server.shares().await.json["frozen"], false);
    let told = server.share_messages().await;
    assert_eq!(told, [news("share.finished", "P-1", 800)]);
}

#[tokio::test]
async fn an_order_is_released_without_a_share() {
    let server = sold().await;
    let asked = server.ask_unfreeze("F-1").await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
    assert_eq!(asked.string("kind"), "unfreeze");
    assert_eq!(asked.number("amount_fen"), 0);
    assert_eq!(server.ask_unfreeze("F-1").await.status, StatusCode::OK);
    server.settled().await;
    let release = server.share("F-1").await;
    assert_eq!(release["receivers"][0]["account"], super::own_mchid());
    assert_eq!(release["receivers"][0]["amount_fen"], 1_990);
    assert_eq!(
        server.share_messages().await,
        [news("share.finished", "F-1", 0)]
    );
}

#[tokio::test]
async fn what_is_still_held_is_asked_of_wechat() {
    let server = sold().await;
    server.ask_share(&share_body("P-1", 800)).await;
    let frozen = server.shown("/tea-0001/frozen").await;
    assert_eq!(frozen.number("unsplit_fen"), 1_190);
    server.ask_unfreeze("F-1").await;
    let frozen = server.shown("/tea-0001/frozen").await;
    assert_eq!(frozen.number("unsplit_fen"), 0);
}
