//! A notification counts at the address of its merchant, and is refused at every other.

use http::StatusCode;
use serde_json::json;
use wechat_pay::v2::SignType;

use super::{KEY, OTHER_KEY, OTHER_SHA256, OTHER_TARGET, first_table, open, ordered, path_of, top};
use crate::test_server::{KEYS, START_MS, TestServer, payment_notification, transaction};
use crate::version_2::notifications::{payment, signed};

#[tokio::test]
async fn a_notification_to_anothers_address_settles_nothing_and_counts_at_its_own() {
    let [first, second] = open("").await;
    let token = ordered(&first, "tea-0001").await;
    let other = ordered(&second, "tea-0001").await;
    second.pay("tea-0001").await;
    let notification = &second.take_notifications()[0];
    // The address without a number is the first merchant's.
    for path in [
        path_of(&first, "payment"),
        path_of(&first, "refund"),
        "/wechat/notify/payment".to_owned(),
        "/wechat/notify/1900000001/payment".to_owned(),
    ] {
        let answer = second.deliver_to(&path, notification).await;
        assert!(!answer.status.is_success(), "{path}: {}", answer.status);
    }
    for (server, token) in [(&first, &token), (&second, &other)] {
        assert_eq!(server.checkout(token).await.string("state"), "open");
        let mismatches = server.read_private("/v1/mismatches").await;
        assert_eq!(mismatches.json["mismatches"], json!([]));
    }
    let path = path_of(&second, "payment");
    let answer = second.deliver_to(&path, notification).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(second.checkout(&other).await.string("state"), "paid");
    assert_eq!(first.checkout(&token).await.string("state"), "open");
}

/// Two merchants with one key for everything: only the numbers tell them apart.
async fn twins() -> [TestServer; 2] {
    let file = KEYS.path().join("merchant.json").display().to_string();
    let twin = super::table(&file, "mchid = \"1900000001\"", OTHER_SHA256, OTHER_TARGET);
    let configuration = top("") + &first_table("") + &twin;
    let [first, mut second] = TestServer::open_pair(&configuration, [KEY, OTHER_KEY]).await;
    "1900000001".clone_into(&mut second.mchid);
    [first, second]
}

#[tokio::test]
async fn even_with_the_same_keys_a_notification_settles_no_order_of_another_merchant() {
    let [first, second] = twins().await;
    let token = ordered(&first, "tea-0001").await;
    // WeChat does not know the twin, so its attempt is recorded and in doubt.
    let order = json!({ "order_no": "tea-0001", "total_fen": 1990, "description": "tea" });
    let other = second.order(order).await;
    second.attempt(&other, &[("product", "native")]).await;

    let paid = payment_notification("mixed-up", &transaction("tea-0001", 1990), START_MS);
    let answer = second.deliver_to(&path_of(&second, "payment"), &paid).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // The first merchant's combined payment names it in another field.
    let mchid = &first.mchid;
    let combined = json!({
        "combine_mchid": mchid, "combine_out_trade_no": "tea-0001",
        "sub_orders": [{
            "mchid": mchid, "out_trade_no": "tea-0001", "trade_state": "SUCCESS",
            "transaction_id": "42001", "amount": { "total_amount": 1990, "currency": "CNY" },
        }],
    });
    let combined = payment_notification("mixed-up-too", &combined, START_MS);
    let answer = second
        .deliver_to(&path_of(&second, "payment"), &combined)
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    // The first merchant's payment in version 2.
    let xml = signed(payment(), SignType::HmacSha256);
    for kind in ["payment", "refund"] {
        let answer = second.deliver_to(&path_of(&second, kind), &xml).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{kind}: {}",
            answer.text()
        );
    }
    assert_eq!(second.checkout(&other).await.string("state"), "open");
    let mismatches = second.read_private("/v1/mismatches").await;
    assert_eq!(mismatches.json["mismatches"], json!([]));

    let answer = first.deliver_to(&path_of(&first, "payment"), &paid).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(first.checkout(&token).await.string("state"), "paid");
    assert_eq!(second.checkout(&other).await.string("state"), "open");
}
