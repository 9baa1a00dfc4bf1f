//! A shop that changes from version 2 to version 3, or back, while orders are open: each attempt and
//! each refund is completed by the version that made it.

use http::StatusCode;
use serde_json::json;

use super::{Api, BACK, NATIVE, deliver_all, until_closable};
use crate::test_server::{API_KEY, MINUTE_MS, TestServer, backend, configuration};

fn lines_of(api: Api) -> String {
    configuration("") + api.lines()
}

/// The paths of all calls since the last look.
fn paths(server: &TestServer) -> Vec<String> {
    let sent = server.wechat.take_sent();
    sent.into_iter().map(|sent| sent.path).collect()
}

#[tokio::test]
async fn an_attempt_is_renewed_queried_and_paid_by_the_version_that_made_it() {
    for (old, new) in [
        (Api::V2Md5, Api::V3),
        (Api::V2Hmac, Api::V3),
        (Api::V3, Api::V2Hmac),
        (Api::V2Md5, Api::V2Hmac),
    ] {
        let server = TestServer::open_configured(&lines_of(old)).await;
        let token = server.default_order().await;
        let first = server.attempt(&token, &[NATIVE]).await;
        let server = server.restart_with(&lines_of(new)).await;
        let again = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
        assert_eq!(
            again.json["code_url"], first.json["code_url"],
            "{old:?} {new:?}"
        );
        server.wechat.take_sent();
        server.later(5_000).await;
        let asked = paths(&server);
        assert!(
            asked.iter().all(|path| old.is_of(path)),
            "{old:?}: {asked:?}"
        );
        server.pay("tea-0001").await;
        deliver_all(&server).await;
        assert_eq!(server.checkout(&token).await.string("state"), "paid");
        // What is new is made by the new version.
        let next = json!({"order_no": "tea-0002", "total_fen": 1990, "description": "一壶茶"});
        let token = server.order(next).await;
        server.attempt(&token, &[NATIVE]).await;
        let asked = paths(&server);
        assert!(
            asked.iter().all(|path| new.is_of(path)),
            "{new:?}: {asked:?}"
        );
        server.pay("tea-0002").await;
        deliver_all(&server).await;
        assert_eq!(server.checkout(&token).await.string("state"), "paid");
    }
}

#[tokio::test]
async fn an_attempt_is_closed_by_its_version_before_the_other_one_orders() {
    for (old, new) in [(Api::V2Hmac, Api::V3), (Api::V3, Api::V2Hmac)] {
        let server = TestServer::open_configured(&lines_of(old)).await;
        let token = server.default_order().await;
        server.attempt(&token, &[NATIVE]).await;
        let server = server.restart_with(&lines_of(new)).await;
        server.wechat.take_sent();
        until_closable(&server).await;
        let form = [("product", "h5"), BACK, ("after", "1")];
        let second = server.attempt(&token, &form).await;
        assert_eq!(second.number("attempt"), 2, "{}", second.json);
        let asked = paths(&server);
        let [query, close, order] = &asked[..] else {
            panic!("{asked:?}");
        };
        assert!(
            old.is_of(query) && old.is_of(close) && new.is_of(order),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn an_order_of_version_2_is_queried_and_closed_by_version_3_when_its_key_is_gone() {
    let server = TestServer::open_configured(&lines_of(Api::V2Hmac)).await;
    let token = server.default_order().await;
    server.attempt(&token, &[NATIVE]).await;
    let only_v3 = super::only::without(&configuration(""), &["api_v2_key"]);
    let server = server.restart_with(&only_v3).await;
    server.wechat.take_sent();
    // Its recorded order cannot be sent again, so it is closed first, and not confused.
    let again = server.attempt(&token, &[NATIVE, ("after", "1")]).await;
    assert_eq!(again.number("attempt"), 2, "{}", again.json);
    assert_eq!(server.trade_state("tea-0001").as_deref(), Some("CLOSED"));
    assert!(paths(&server).iter().all(|path| Api::V3.is_of(path)));
}

#[tokio::test]
async fn a_payment_of_one_version_is_refunded_by_the_other_and_each_refund_stays_with_its_own() {
    for (old, new) in [(Api::V2Md5, Api::V3), (Api::V3, Api::V2Md5)] {
        let server = TestServer::open_configured(&lines_of(old)).await;
        super::buy(&server).await;
        let ask = async |server: &TestServer, number: &str| {
            let body = json!({"refund_no": number, "amount_fen": 100}).to_string();
            let path = "/v1/orders/tea-0001/refunds";
            let asked = server.send(backend(path, API_KEY, body)).await;
            assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.json);
        };
        ask(&server, "R-1").await;
        server.clock.advance_ms(2 * MINUTE_MS);
        server.simulator.run_due().await;
        server.take_notifications();
        let server = server.restart_with(&lines_of(new)).await;
        server.wechat.take_sent();
        server.later(0).await;
        let asked = paths(&server);
        assert!(
            asked.iter().all(|path| old.is_of(path)),
            "{old:?}: {asked:?}"
        );
        ask(&server, "R-2").await;
        let asked = paths(&server);
        assert!(
            asked.iter().all(|path| new.is_of(path)),
            "{new:?}: {asked:?}"
        );
        for _ in 0..3 {
            server.later(MINUTE_MS).await;
            server.simulator.run_due().await;
        }
        for number in ["R-1", "R-2"] {
            let refund = server.read_private(&format!("/v1/refunds/{number}")).await;
            assert_eq!(
                refund.string("state"),
                "succeeded",
                "{old:?} {new:?} {number}"
            );
        }
    }
}
