//! Profit sharing, from the receiver to the final state, with everything that can happen between.

mod doubt;
mod limits;
mod notices;
mod receivers;
mod returns;

use http::StatusCode;
use serde_json::{Value, json};

use crate::inbox::Message;
use crate::test_server::{API_KEY, Answer, MINUTE_MS, Owner, TestServer, backend, merchant};

const HOOKS: &str = "[[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\nsecret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\n";
/// A merchant that receives.
const SUPPLIER: &str = "86693852";
/// A person that receives.
const COURIER: &str = "oCourierOpenId";
/// Both can receive, `tea-0001` for 19.90 yuan is paid, and its money is held.
pub(crate) async fn sold() -> TestServer {
    sold_by(Owner::Merchant).await
}

async fn sold_by(owner: Owner) -> TestServer {
    let server = TestServer::open_configured(&(owner.configuration("", "") + HOOKS)).await;
    server.sell_held(&json!({ "profit_sharing": true })).await;
    for receiver in [
        json!({
            "type": "MERCHANT_ID", "account": SUPPLIER, "name": "某某茶行",
            "relation_type": "SUPPLIER",
        }),
        json!({ "type": "PERSONAL_OPENID", "account": COURIER, "relation_type": "STAFF" }),
    ] {
        let added = server.add_receiver(receiver).await;
        assert_eq!(added.status, StatusCode::OK, "{}", added.json);
    }
    // WeChat takes shares from now on.
    server.clock.advance_ms(MINUTE_MS);
    server.wechat.take_sent();
    server
}

/// A share of the supplier alone.
pub(crate) fn share_body(share_no: &str, amount_fen: u64) -> Value {
    json!({ "share_no": share_no, "receivers": [to_supplier(amount_fen)] })
}

fn to_supplier(amount_fen: u64) -> Value {
    json!({
        "type": "MERCHANT_ID", "account": SUPPLIER, "amount_fen": amount_fen, "reason": "茶叶货款",
    })
}

impl TestServer {
    /// `tea-0001` is ordered with this `settle_info` and paid, and WeChat's notification is delivered.
    async fn sell_held(&self, settle_info: &Value) {
        let token = self
            .order(json!({
                "order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶",
                "settle_info": settle_info,
            }))
            .await;
        self.attempt(&token, &[("product", "native")]).await;
        self.pay("tea-0001").await;
        for notification in self.take_notifications() {
            let answer = self.deliver(&notification).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT);
        }
    }

    async fn private(&self, path: &str, body: &Value) -> Answer {
        self.send(backend(path, API_KEY, body.to_string())).await
    }

    /// Adds a receiver, of a provider for its sub-merchant.
    async fn add_receiver(&self, mut receiver: Value) -> Answer {
        if let Some(sub_mchid) = self.order_at_wechat("tea-0001")["sub_mchid"].as_str() {
            receiver["sub_mchid"] = sub_mchid.into();
        }
        self.private("/v1/receivers", &receiver).await
    }

    pub(crate) async fn ask_share(&self, body: &Value) -> Answer {
        self.private("/v1/orders/tea-0001/shares", body).await
    }

    async fn ask_unfreeze(&self, share_no: &str) -> Answer {
        let body = json!({ "share_no": share_no, "reason": "订单完成" });
        self.private("/v1/orders/tea-0001/unfreeze", &body).await
    }

    async fn ask_return(&self, share_no: &str, return_no: &str, amount_fen: u64) -> Answer {
        let body = json!({
            "return_no": return_no, "account": SUPPLIER, "amount_fen": amount_fen,
            "reason": "顾客退货",
        });
        let path = format!("/v1/shares/{share_no}/returns");
        self.private(&path, &body).await
    }

    async fn shares(&self) -> Answer {
        self.shown("/tea-0001/shares").await
    }

    /// A share, a release or a return of `tea-0001` by its own number.
    async fn share(&self, number: &str) -> Value {
        let list = self.shares().await;
        let mut shares = list.json["shares"].as_array().unwrap().iter();
        let found = shares.find(|share| {
            let own = share.get("return_no").unwrap_or(&share["share_no"]);
            own == number
        });
        found.cloned().unwrap_or_default()
    }

    async fn share_state(&self, number: &str) -> String {
        let share = self.share(number).await;
        share["state"].as_str().unwrap().to_owned()
    }

    /// WeChat carries out what is due, and the server asks until it knows.
    async fn settled(&self) {
        for _ in 0..3 {
            self.later(10_000).await;
        }
    }

    /// All shares at WeChat: number, state, and what receivers got.
    fn shares_at_wechat(&self) -> Vec<(String, String, i64)> {
        let ledger = serde_json::to_value(self.simulator.ledger_view(None)).unwrap();
        let shares = ledger["shares"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        shares
            .map(|share| {
                let received = share["received"].as_i64().unwrap();
                (
                    text(&share["out_order_no"]),
                    text(&share["state"]),
                    received,
                )
            })
            .collect()
    }

    /// The messages about shares since the last look: type, number, what arrived.
    async fn share_messages(&self) -> Vec<(String, String, u64)> {
        self.inner.run_due().await.unwrap();
        let messages = self.backend.take();
        let bodies = messages.iter().map(Message::json);
        let mut about: Vec<_> = bodies
            .filter(|body| body["data"]["share_no"].is_string())
            .map(|body| {
                let data = &body["data"];
                let number = data.get("return_no").unwrap_or(&data["share_no"]);
                (
                    body["type"].as_str().unwrap().to_owned(),
                    number.as_str().unwrap().to_owned(),
                    data["succeeded_fen"].as_u64().unwrap(),
                )
            })
            .collect();
        about.sort();
        about
    }

    async fn share_faults(&self, rules: &Value) {
        self.control("POST", "faults", &rules.to_string()).await;
    }
}

fn news(event: &str, number: &str, succeeded_fen: u64) -> (String, String, u64) {
    (event.to_owned(), number.to_owned(), succeeded_fen)
}

#[tokio::test]
async fn a_share_reaches_its_receivers_and_the_backend_is_told_the_end() {
    for owner in Owner::BOTH {
        let server = sold_by(owner).await;
        let body = json!({
            "share_no": "P-1",
            "receivers": [
                to_supplier(800),
                {
                    "type": "PERSONAL_OPENID", "account": COURIER, "amount_fen": 190,
                    "reason": "配送费",
                },
            ],
        });
        let asked = server.ask_share(&body).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
        assert_eq!(asked.string("state"), "processing");
        assert_eq!(asked.string("kind"), "share");
        assert_eq!(asked.number("amount_fen"), 990);
        assert_eq!(asked.json["receivers"][1]["result"], "pending");
        server.settled().await;
        let share = server.share("P-1").await;
        assert_eq!(share["state"], "finished", "{owner:?} {share}");
        assert_eq!(share["receivers"][0]["account"], SUPPLIER);
        for receiver in share["receivers"].as_array().unwrap() {
            assert_eq!(receiver["result"], "succeeded");
            assert!(receiver["detail_id"].is_string() && receiver["finish_time"].is_string());
        }
        assert_eq!(
            server.shares_at_wechat(),
            [("P-1".to_owned(), "FINISHED".to_owned(), 990)]
        );
        let told = server.share_messages().await;
        assert_eq!(told, [news("share.finished", "P-1", 990)], "{owner:?}");
        let list = server.shares().await;
        assert_eq!(list.json["frozen"], true);
        assert_eq!(list.number("shared_fen"), 990);
        assert_eq!(list.number("shareable_fen"), 1_000);
    }
}

#[tokio::test]
async fn a_share_waits_until_wechat_takes_it_a_minute_after_the_payment() {
    let server = TestServer::open_with_end(HOOKS).await;
    server.sell_held(&json!({ "profit_sharing": true })).await;
    let receiver = json!({
        "type": "MERCHANT_ID", "account": SUPPLIER, "name": "某某茶行", "relation_type": "STORE",
    });
    server.add_receiver(receiver).await;
    server.wechat.take_sent();
    let asked = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
    assert_eq!(asked.string("state"), "requested");
    server.later(MINUTE_MS - 1_000).await;
    assert_eq!(server.wechat.take_kinds(), [] as [&str; 0]);
    server.later(1_000).await;
    assert_eq!(server.wechat.take_kinds(), ["share"]);
    assert_eq!(server.share_state("P-1").await, "processing");
}

#[tokio::test]
async fn the_same_number_with_the_same_values_is_the_same_share() {
    let server = sold().await;
    let first = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let same = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(same.status, StatusCode::OK);
    assert_eq!(same.json, first.json);
    let other = server.ask_share(&share_body("P-1", 801)).await;
    assert_eq!(other.code(), "SHARE_NO_USED");
    assert_eq!(other.json["error"]["field"], "share_no");
    let release = server.ask_unfreeze("P-1").await;
    assert_eq!(release.code(), "SHARE_NO_USED", "numbers are in one row");
    assert_eq!(server.wechat.take_kinds(), ["share"]);
}

#[tokio::test]
async fn a_receiver_that_gets_nothing_is_told_with_wechats_reason() {
    let server = sold().await;
    let closed = json!({ "share_outcome": "closed" }).to_string();
    server.control("PATCH", "settings", &closed).await;
    server.ask_share(&share_body("P-1", 800)).await;
    server.settled().await;
    let share = server.share("P-1").await;
    assert_eq!(share["receivers"][0]["result"], "closed", "{share}");
    assert_eq!(share["receivers"][0]["fail_reason"], "ACCOUNT_ABNORMAL");
    let told = server.share_messages().await;
    assert_eq!(told, [news("share.finished", "P-1", 0)]);
}

#[tokio::test]
async fn two_shares_of_an_order_go_to_wechat_in_their_order() {
    let server = sold().await;
    let not_sent = json!([{ "route": "share", "kind": "error_before", "rate": 1.0, "count": 1 }]);
    server.share_faults(&not_sent).await;
    let first = server.ask_share(&share_body("P-1", 800)).await;
    assert_eq!(first.string("state"), "requested");
    let second = server.ask_share(&share_body("P-2", 100)).await;
    assert_eq!(second.string("state"), "requested");
    server.settled().await;
    server.settled().await;
    let at_wechat = server.shares_at_wechat();
    let numbers: Vec<_> = at_wechat.iter().map(|(number, ..)| &**number).collect();
    assert_eq!(numbers, ["P-1", "P-2"]);
    assert_eq!(server.share_state("P-2").await, "finished");
}

#[tokio::test]
async fn a_key_without_the_scope_shares_nothing() {
    /// A key with the scope of refunds alone, and its SHA-256, made with another program.
    const READER: (&str, &str) = (
        "a key for metrics",
        "34bef3fa50c4cb06571d4ed38f5d9361e02a8fb530ef1413a023efa540eccab9",
    );
    let key = format!(
        "[[api_keys]]\nname = \"books\"\nsha256 = \"{}\"\nscopes = [\"refunds:write\"]\n",
        READER.1
    );
    let server = TestServer::open_with_end(&key).await;
    server.sell_held(&json!({ "profit_sharing": true })).await;
    let body = share_body("P-1", 800).to_string();
    let refused = server
        .send(backend("/v1/orders/tea-0001/shares", READER.0, body))
        .await;
    assert_eq!(refused.code(), "FORBIDDEN");
    let message = refused.json["error"]["message"].as_str().unwrap();
    assert!(message.contains("the scope sharing"), "{message}");
}

#[tokio::test]
async fn profit_sharing_needs_the_key_of_version_3() {
    let server = crate::version_2::only::open().await;
    server.default_order().await;
    for (path, body) in [
        ("/v1/orders/tea-0001/shares", share_body("P-1", 800)),
        (
            "/v1/receivers",
            json!({ "type": "PERSONAL_OPENID", "account": COURIER, "relation_type": "STAFF" }),
        ),
    ] {
        let refused = server.private(path, &body).await;
        assert_eq!(refused.code(), "PRODUCT_UNAVAILABLE", "{path}");
    }
}

#[tokio::test]
async fn the_desk_tells_what_became_of_a_share() {
    let server = sold().await;
    server.ask_share(&share_body("P-1", 800)).await;
    server.settled().await;
    let payments = server.inner.merchants().first();
    let story = merchant_core::orders::desk::story(payments, "tea-0001").await;
    let told = format!("{:?}", story.unwrap().events);
    for part in [
        "ShareBegun { number: \"P-1\"",
        "state: Finished",
        "share.finished",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert!(!told.contains(SUPPLIER), "the story names no receiver");
}

/// The merchant's number, which is nobody's secret.
fn own_mchid() -> String {
    merchant()["mchid"].as_str().unwrap().to_owned()
}
