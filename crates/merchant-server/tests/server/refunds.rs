//! Refunds, from the request to the final state, with everything that can happen between.

mod abnormal;
mod asking;
mod doubt;
mod ends;
mod event_orders;
pub(crate) mod notices;
pub(crate) mod outside;
mod sub_merchants;
mod surplus;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::inbox::Message;
use crate::test_server::{
    API_KEY, Answer, Owner, SentNotification, TestServer, backend, merchant, read,
};

const HOOKS: &str = "[[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\nsecret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\n";
/// The simulator gives a refund its result after this time.
const RESULT_MS: u64 = 3_000;
const REFUNDS: &str = "/v1/orders/tea-0001/refunds";

/// A server with the paid order `tea-0001` for 19.90 yuan; returns the order's token.
async fn bought() -> (TestServer, String) {
    bought_of(Owner::Merchant).await
}

async fn bought_of(owner: Owner) -> (TestServer, String) {
    let server = TestServer::open_configured(&(owner.configuration("", "") + HOOKS)).await;
    let token = buy(&server).await;
    (server, token)
}

async fn buy(server: &TestServer) -> String {
    let token = server.default_order().await;
    pay_for(server, &token).await;
    token
}

/// `tea-0001` is paid, and WeChat's notification was delivered.
async fn pay_for(server: &TestServer, token: &str) {
    server.attempt(token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        let answer = server.deliver(&notification).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    server.wechat.take_sent();
}

impl TestServer {
    async fn ask_refund(&self, body: Value) -> Answer {
        self.send(backend(REFUNDS, API_KEY, body.to_string())).await
    }

    async fn refund(&self, refund_no: &str) -> Answer {
        self.read_private(&format!("/v1/refunds/{refund_no}")).await
    }

    async fn state_of(&self, refund_no: &str) -> String {
        self.refund(refund_no).await.string("state").to_owned()
    }

    /// Makes WeChat decide due refunds; returns the notifications.
    async fn results(&self) -> Vec<SentNotification> {
        self.clock.advance_ms(RESULT_MS);
        self.simulator.run_due().await;
        self.take_notifications()
    }

    async fn deliver_refund(&self, notification: &SentNotification) -> Answer {
        self.deliver_to("/wechat/notify/refund", notification).await
    }

    /// Does something at WeChat's side.
    async fn at_wechat(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path)
            .body(Body::from(body.to_string()))
            .unwrap();
        let answer = read(self.simulator.app().oneshot(request).await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.json);
        answer
    }

    /// Makes WeChat decide a refund now.
    pub(crate) async fn decide(&self, refund_no: &str, outcome: &str) {
        let ledger = serde_json::to_value(self.simulator.ledger_view(None)).unwrap();
        let mut refunds = ledger["refunds"].as_array().unwrap().iter();
        let refund = refunds.find(|refund| refund["out_refund_no"] == refund_no);
        let of = refund.unwrap()["out_trade_no"].as_str().unwrap();
        let decision = json!({
            "mchid": merchant()["mchid"], "sub_mchid": self.order_at_wechat(of)["sub_mchid"],
            "out_refund_no": refund_no, "outcome": outcome,
        });
        self.at_wechat("/_simulator/refund/outcome", &decision)
            .await;
        self.simulator.run_due().await;
    }

    /// Sets faults of WeChat, in place of the faults before.
    async fn faults(&self, rules: Value) {
        self.at_wechat("/_simulator/faults", &rules).await;
    }

    /// All refunds at WeChat: number, amount and state.
    fn refunds_at_wechat(&self) -> Vec<(String, i64, String)> {
        let ledger = serde_json::to_value(self.simulator.ledger_view(None)).unwrap();
        let refunds = ledger["refunds"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        refunds
            .map(|refund| {
                (
                    text(&refund["out_refund_no"]),
                    refund["refund"].as_i64().unwrap(),
                    text(&refund["status"]),
                )
            })
            .collect()
    }

    /// The types of the webhooks about refunds since the last look, sorted: due messages are sent
    /// side by side and arrive in any order.
    async fn refund_messages(&self) -> Vec<String> {
        self.inner.run_due().await.unwrap();
        let messages = self.backend.take();
        let mut types: Vec<_> = messages
            .iter()
            .map(Message::json)
            .filter(|body| body["data"]["refund_no"].is_string())
            .map(|body| body["type"].as_str().unwrap().to_owned())
            .collect();
        types.sort();
        types
    }
}

fn refund_body(refund_no: &str, amount_fen: u64) -> Value {
    json!({ "refund_no": refund_no, "amount_fen": amount_fen, "reason": "凉了" })
}
