//! What WeChat tells us, what others tell us in its name, and what fits nothing.

use http::{HeaderValue, StatusCode};
use merchant_server::Clock as _;
use serde_json::{Value, json};

use crate::house::{House, Letter, MINUTE_MS, letter, sign, transaction};
use crate::log::Log;

async fn ordered(house: &House) -> String {
    let token = house.tea().await;
    house.attempt(&token, &[("product", "native")]).await;
    token
}

fn with_header(letter: &Letter, name: &'static str, value: &str) -> Letter {
    let mut changed = letter.clone();
    changed
        .headers
        .insert(name, HeaderValue::from_str(value).unwrap());
    changed
}

#[tokio::test]
async fn a_payment_is_recorded_once_and_acknowledged_each_time() {
    let house = House::open().await;
    let token = ordered(&house).await;
    house.pay("tea-0001").await;
    let post = house.take_post();
    assert_eq!(post.len(), 1);
    let told = house.hand_in(&post[0]).await;
    assert_eq!(told.status, StatusCode::NO_CONTENT);
    assert!(told.body.is_empty());
    let paid = house.checkout(&token).await;
    assert_eq!(paid.word("state"), "paid");
    assert_eq!(house.hand_in(&post[0]).await.status, StatusCode::NO_CONTENT);
    // The same payment under another notification's id.
    let mut again = transaction("tea-0001", 1990);
    let ledger = serde_json::to_value(house.simulator.ledger_view(None)).unwrap();
    again["transaction_id"] = ledger["orders"][0]["transaction_id"].clone();
    let again = letter("other-id", &again, house.clock.now_ms());
    assert_eq!(house.hand_in(&again).await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.checkout(&token).await.json, paid.json);
    assert_eq!(house.mismatches().await, []);
}

#[tokio::test]
async fn what_wechat_did_not_sign_changes_nothing() {
    let house = House::open().await;
    let token = ordered(&house).await;
    let before = house.checkout(&token).await.json;
    let now_ms = house.clock.now_ms();
    let good = letter("n-1", &transaction("tea-0001", 1990), now_ms);
    let mut altered = good.clone();
    altered.body = [&altered.body[..], b" "].concat().into();
    let unsigned = Letter {
        headers: http::HeaderMap::new(),
        body: good.body.clone(),
    };
    let mut twice = good.clone();
    let serial = twice.headers["wechatpay-serial"].clone();
    twice.headers.append("wechatpay-serial", serial);
    let minutes = i64::try_from(6 * MINUTE_MS).unwrap();
    let cases = [
        ("unsigned", unsigned),
        ("another body", altered),
        (
            "another signature",
            with_header(&good, "wechatpay-signature", "AAAA"),
        ),
        (
            "an unknown serial",
            with_header(&good, "wechatpay-serial", "PUB_KEY_ID_9"),
        ),
        (
            "a probe",
            with_header(&good, "wechatpay-signature", "WECHATPAY/SIGNTEST/AAAA"),
        ),
        ("a header that comes twice", twice),
        (
            "too old",
            letter("n-1", &transaction("tea-0001", 1990), now_ms - minutes),
        ),
        (
            "from the future",
            letter("n-1", &transaction("tea-0001", 1990), now_ms + minutes),
        ),
    ];
    for (what, letter) in cases {
        let refused = house.hand_in(&letter).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{what}");
        assert_eq!(refused.json["code"], "FAIL", "{what}");
        assert_eq!(house.checkout(&token).await.json, before, "{what}");
    }
    assert_eq!(house.hand_in(&good).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_wechat_signed_and_we_cannot_read_is_told_again() {
    let house = House::open().await;
    let token = ordered(&house).await;
    let now_ms = house.clock.now_ms();
    let mut unpaid = transaction("tea-0001", 1990);
    unpaid["trade_state"] = "NOTPAY".into();
    let sealed = letter("n-1", &transaction("tea-0001", 1990), now_ms).body;
    let mut other_key: Value = serde_json::from_slice(&sealed).unwrap();
    other_key["resource"]["nonce"] = "210987654321".into();
    let cases = [
        (sign("<xml/>", now_ms), 400),
        (sign("{}", now_ms), 400),
        (letter("n-2", &json!({"x": 1}), now_ms), 400),
        (letter("n-3", &unpaid, now_ms), 400),
        (sign(other_key.to_string(), now_ms), 500),
    ];
    for (letter, status) in cases {
        let answer = house.hand_in(&letter).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.json["code"], "FAIL");
    }
    let huge = sign("a".repeat(300_000), now_ms);
    assert_eq!(
        house.hand_in(&huge).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(house.checkout(&token).await.word("state"), "open");
}

#[tokio::test]
async fn real_money_that_fits_nothing_is_kept_reported_once_and_ships_nothing() {
    let cases = [
        ("amount", "/amount/total", json!(1)),
        ("currency", "/amount/currency", json!("USD")),
        ("mchid", "/mchid", json!("1900000001")),
        ("appid", "/appid", json!("wx0000000000000001")),
        ("number", "/out_trade_no", json!("never-ordered")),
    ];
    for (reason, pointer, value) in cases {
        let log = Log::start();
        let house = House::open().await;
        let token = ordered(&house).await;
        let before = house.checkout(&token).await.json;
        house.line.take_sent();
        let mut transaction = transaction("tea-0001", 1990);
        *transaction.pointer_mut(pointer).unwrap() = value;
        let number = transaction["out_trade_no"].as_str().unwrap().to_owned();
        for id in ["n-1", "n-1", "n-2"] {
            let letter = letter(id, &transaction, house.clock.now_ms());
            let answer = house.hand_in(&letter).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{reason}");
        }
        assert_eq!(house.checkout(&token).await.json, before, "{reason}");
        assert_eq!(
            house.mismatches().await,
            [(number.clone(), reason.to_owned())]
        );
        assert_eq!(log.count("payment.mismatch"), 1, "{reason}");
        house.later(1).await;
        let sent = house.line.take_sent();
        assert_eq!(sent.len(), 1, "{reason}");
        assert!(sent[0].path.ends_with(&number), "{reason}");
        house.later(1).await;
        assert_eq!(house.line.take_sent(), [], "{reason}");
    }
}

#[tokio::test]
async fn surplus_is_reported_once() {
    let log = Log::start();
    let house = House::open().await;
    let token = ordered(&house).await;
    let path = format!("/v1/checkouts/{token}/cancel");
    house.form(&path, &[("after", "1")]).await;
    let wish = [("product", "native"), ("after", "1")];
    let second = house.attempt(&token, &wish).await;
    house.pay(second.word("out_trade_no")).await;
    house.hand_in(&house.take_post()[0]).await;
    for id in ["n-1", "n-2"] {
        let late = letter(id, &transaction("tea-0001", 1990), house.clock.now_ms());
        house.hand_in(&late).await;
    }
    assert_eq!(log.count("payment.settled"), 1);
    assert_eq!(log.count("payment.surplus"), 1);
}

#[tokio::test]
async fn late_money_makes_a_closed_order_paid() {
    let house = House::open().await;
    let token = ordered(&house).await;
    house.pay("tea-0001").await;
    let post = house.take_post();
    let house2 = House::open().await;
    let token2 = ordered(&house2).await;
    house2.later(31 * MINUTE_MS).await;
    assert_eq!(house2.checkout(&token2).await.word("state"), "closed");
    let late = letter(
        "late",
        &transaction("tea-0001", 1990),
        house2.clock.now_ms(),
    );
    house2.hand_in(&late).await;
    assert_eq!(house2.checkout(&token2).await.word("state"), "paid");
    // And in the ordinary way.
    house.hand_in(&post[0]).await;
    assert_eq!(house.checkout(&token).await.word("state"), "paid");
}
