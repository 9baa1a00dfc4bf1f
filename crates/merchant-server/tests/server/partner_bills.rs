//! A service provider's bill of a day: for all its sub-merchants, and for each alone.

use http::StatusCode;
use serde_json::{Value, json};
use wechat_pay_simulator::SubMerchant;

use crate::bills::{DAY, HOUR_MS, bill, change_the_file, refunded, the_next_morning};
use crate::test_server::{TestServer, sub_merchant, sub_merchant_table};

/// A service provider and both its sub-merchants.
struct Provider {
    server: TestServer,
    subs: [SubMerchant; 2],
}

impl Provider {
    async fn open() -> Self {
        let subs = [1, 2].map(sub_merchant);
        let tables = subs.each_ref().map(sub_merchant_table);
        Self {
            server: TestServer::open_with_merchant("", &tables.concat()).await,
            subs,
        }
    }

    /// A buyer pays one of them, and the notification is delivered.
    async fn sell(&self, sub: &SubMerchant, order_no: &str, total_fen: u64) {
        let server = &self.server;
        let token = server
            .order(json!({
                "order_no": order_no, "total_fen": total_fen, "description": "一壶茶",
                "sub_mchid": sub.sub_mchid,
            }))
            .await;
        server.attempt(&token, &[("product", "native")]).await;
        server.pay(order_no).await;
        for notification in server.take_notifications() {
            assert_eq!(
                server.deliver(&notification).await.status,
                StatusCode::NO_CONTENT
            );
        }
    }

    /// The first sub-merchant sells a pot and refunds a part, the second sells a cup.
    async fn day_of_business() -> Self {
        let provider = Self::open().await;
        let [first, second] = &provider.subs;
        provider.sell(first, "pot-0001", 1990).await;
        provider.sell(second, "cup-0001", 5).await;
        refunded(&provider.server, "pot-0001", "back-1", 333).await;
        provider.server.later(HOUR_MS).await;
        the_next_morning(&provider.server);
        provider
    }

    async fn bill_of(&self, sub: &SubMerchant) -> Value {
        let answer = bill(&self.server, &format!("{DAY}?sub_mchid={}", sub.sub_mchid)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        answer.json
    }

    /// Makes the ledger name a wrong sub-merchant for an order.
    async fn mistake(&self, order_no: &str, sub: &SubMerchant) {
        let pool = self.server.database().await;
        sqlx::query("UPDATE orders SET sub_mchid = $1 WHERE order_no = $2")
            .bind(&sub.sub_mchid)
            .bind(order_no)
            .execute(&pool)
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_sub_merchants_bill_has_only_its_own_rows_and_the_whole_bill_has_all_rows() {
    let provider = Provider::day_of_business().await;
    let [first, second] = &provider.subs;
    let expected = |more: Value| {
        let mut expected = json!({ "day": DAY, "live": false, "differences": [] });
        for (name, value) in more.as_object().unwrap() {
            expected[name] = value.clone();
        }
        expected
    };
    assert_eq!(
        provider.bill_of(first).await,
        expected(json!({
            "sub_mchid": first.sub_mchid,
            "payments": { "count": 1, "total_fen": 1990 },
            "refunds": { "count": 1, "total_fen": 333 },
        }))
    );
    assert_eq!(
        provider.bill_of(second).await,
        expected(json!({
            "sub_mchid": second.sub_mchid,
            "payments": { "count": 1, "total_fen": 5 },
            "refunds": { "count": 0, "total_fen": 0 },
        }))
    );
    assert_eq!(
        bill(&provider.server, DAY).await.json,
        expected(json!({
            "payments": { "count": 2, "total_fen": 1995 },
            "refunds": { "count": 1, "total_fen": 333 },
        }))
    );
}

#[tokio::test]
async fn a_difference_of_the_sub_merchant_is_reported() {
    let provider = Provider::day_of_business().await;
    let [first, second] = &provider.subs;
    provider.mistake("pot-0001", second).await;
    let (here, there) = (&second.sub_mchid, &first.sub_mchid);
    let differences = [
        json!({
            "kind": "refund_sub_mchid", "out_trade_no": "pot-0001", "out_refund_no": "back-1",
            "here": here, "there": there,
        }),
        json!({
            "kind": "payment_sub_mchid", "out_trade_no": "pot-0001", "here": here, "there": there,
        }),
    ];
    let sorted = |answer: &Value| {
        let mut differences = answer["differences"].as_array().unwrap().clone();
        differences.sort_by_key(|difference| difference["kind"] == "payment_sub_mchid");
        differences
    };
    assert_eq!(sorted(&provider.bill_of(first).await), differences);
    assert_eq!(sorted(&bill(&provider.server, DAY).await.json), differences);
    // The bill of the second sub-merchant lacks the order that the ledger names for it.
    let second = provider.bill_of(second).await;
    let kinds: Vec<_> = second["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|difference| difference["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["payment_missing_there", "refund_missing_there"]);
}

#[tokio::test]
async fn a_day_without_sales_of_one_sub_merchant_agrees() {
    let provider = Provider::open().await;
    let [first, second] = &provider.subs;
    provider.sell(first, "pot-0001", 1990).await;
    the_next_morning(&provider.server);
    let answer = provider.bill_of(second).await;
    assert_eq!(answer["payments"], json!({ "count": 0, "total_fen": 0 }));
    assert_eq!(answer["differences"], json!([]));
}

#[tokio::test]
async fn only_configured_sub_merchants_have_a_bill() {
    let provider = Provider::open().await;
    the_next_morning(&provider.server);
    for number in ["1999999999", "1%26a%3Db", ""] {
        for what in ["?", "/file?", "/file?fund_flow=basic&"] {
            let path = format!("{DAY}{what}sub_mchid={number}");
            let refused = bill(&provider.server, &path).await;
            assert_eq!(refused.code(), "INVALID_REQUEST", "{path}");
            assert_eq!(refused.json["error"]["field"], "sub_mchid");
            let says = "is none of the configured sub-merchants";
            assert!(refused.text().contains(says), "{}", refused.json);
        }
    }
    assert_eq!(provider.server.wechat.take_sent(), []);
}

#[tokio::test]
async fn a_sub_merchants_file_has_only_its_own_rows_and_its_flow_of_funds_is_decrypted() {
    let provider = Provider::day_of_business().await;
    let [first, second] = &provider.subs;
    let file_of = async |sub: &SubMerchant, more: &str| {
        let path = format!("{DAY}/file?sub_mchid={}{more}", sub.sub_mchid);
        bill(&provider.server, &path).await
    };
    for (sub, more, name, holds, lacks) in [
        (first, "", "tradebill", "`pot-0001", "cup-0001"),
        (second, "", "tradebill", "`cup-0001", "pot-0001"),
        (
            first,
            "&fund_flow=basic",
            "fundflowbill-basic",
            "`pot-0001",
            "cup-0001",
        ),
        (
            second,
            "&fund_flow=basic",
            "fundflowbill-basic",
            "`cup-0001",
            "pot-0001",
        ),
    ] {
        let file = file_of(sub, more).await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.json);
        let text = file.text();
        assert!(text.contains(holds), "{holds} in {text}");
        assert!(!text.contains(lacks), "{lacks} in {text}");
        let name = format!("{name}-{DAY}-{}.csv", sub.sub_mchid);
        let disposition = file.headers["content-disposition"].to_str().unwrap();
        assert!(disposition.contains(&name), "{disposition}");
    }
    // The provider's own fund flow holds no payment of the sub-merchants.
    let own = bill(&provider.server, &format!("{DAY}/file?fund_flow=basic")).await;
    assert!(!own.text().contains("pot-0001"), "{}", own.text());

    change_the_file(&provider.server);
    let changed = file_of(first, "&fund_flow=basic").await;
    assert_eq!(changed.code(), "WECHAT_UNAVAILABLE", "{}", changed.json);
    let says = "does not open with its key";
    assert!(changed.text().contains(says), "{}", changed.json);
    let again = file_of(first, "&fund_flow=basic").await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
}
