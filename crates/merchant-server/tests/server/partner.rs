//! Partner mode (服务商): orders for sub-merchants, through order, query, close and notification;
//! and the receipt page that WeChat shows after a payment.

use std::fmt::Write as _;

use axum::body::Body;
use http::{Request, StatusCode};
use merchant_server::Clock as _;
use serde_json::{Value, json};
use url::Url;

use crate::fault_injector::Fault;
use crate::oauth::{BACK, handle};
use crate::test_server::{
    API_KEY, Answer, MERCHANT, TestServer, WECHAT, backend, merchant, payment_notification,
    sub_merchant, sub_merchant_table,
};

struct Partner {
    server: TestServer,
    sub_mchid: String,
    sub_appid: String,
}

/// A service provider with one sub-merchant; `more` is added to the sub-merchant's table.
async fn open_with(more: &str) -> Partner {
    open_with_lines("", more).await
}

/// The same with more lines at the top of the configuration.
async fn open_with_lines(lines: &str, more: &str) -> Partner {
    let sub = sub_merchant(1);
    let table = sub_merchant_table(&sub) + more;
    Partner {
        server: TestServer::open_with_merchant(lines, &table).await,
        sub_mchid: sub.sub_mchid,
        sub_appid: sub.sub_appid,
    }
}

impl Partner {
    fn order(&self, more: &Value) -> Value {
        let mut order = json!({
            "order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶",
            "sub_mchid": self.sub_mchid,
        });
        for (name, value) in more.as_object().unwrap() {
            order[name] = value.clone();
        }
        order
    }
}

#[tokio::test]
async fn a_sub_merchants_order_is_created_paid_and_reported() {
    let partner = open_with("").await;
    let server = &partner.server;
    let token = server.order(partner.order(&json!({}))).await;
    let began = server.attempt(&token, &[("product", "native")]).await;
    assert_eq!(began.status, StatusCode::OK, "{}", began.json);
    let sent = server.wechat.take_sent();
    assert_eq!(sent[0].path, "/v3/pay/partner/transactions/native");
    let body: Value = serde_json::from_slice(&sent[0].body).unwrap();
    let merchant = merchant();
    assert_eq!(body["sp_mchid"], merchant["mchid"]);
    assert_eq!(body["sp_appid"], merchant["appid"]);
    assert_eq!(body["sub_mchid"], partner.sub_mchid);
    assert_eq!(body["sub_appid"], partner.sub_appid);

    server.get(&format!("/v1/checkouts/{token}?ask=1")).await;
    assert!(
        server.wechat.take_sent()[0]
            .path
            .starts_with("/v3/pay/partner/")
    );
    partner.server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
    assert_eq!(server.mismatches().await, []);
    let shown = server.shown("/tea-0001").await.json;
    assert_eq!(shown["sub_mchid"], partner.sub_mchid);
    let list = server
        .shown(&format!("?sub_mchid={}", partner.sub_mchid))
        .await;
    assert_eq!(list.json["orders"][0]["order_no"], "tea-0001");
    assert_eq!(server.shown("?sub_mchid=1").await.json["orders"], json!([]));
}

#[tokio::test]
async fn a_missed_notification_is_found_by_query_and_an_order_is_closed_for_the_sub_merchant() {
    let partner = open_with("").await;
    let server = &partner.server;
    let token = server.order(partner.order(&json!({}))).await;
    server.attempt(&token, &[("product", "native")]).await;
    partner.server.pay("tea-0001").await;
    server.take_notifications();
    server.later(5_000).await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");

    let token = server
        .order(partner.order(&json!({"order_no": "tea-0002"})))
        .await;
    server.attempt(&token, &[("product", "native")]).await;
    server.wechat.take_sent();
    let path = format!("/v1/checkouts/{token}/cancel");
    server.form(&path, &[("after", "1")]).await;
    assert_eq!(server.wechat.take_kinds(), ["query", "close"]);
    assert_eq!(server.trade_state("tea-0002").as_deref(), Some("CLOSED"));
}

#[tokio::test]
async fn a_sub_merchants_refund_is_sent_and_succeeds() {
    let partner = open_with("").await;
    let server = &partner.server;
    let token = server.order(partner.order(&json!({}))).await;
    server.attempt(&token, &[("product", "native")]).await;
    partner.server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    server.wechat.take_sent();
    let wanted = json!({"refund_no": "back-0001", "amount_fen": 990}).to_string();
    let path = "/v1/orders/tea-0001/refunds";
    let began = server.send(backend(path, API_KEY, wanted)).await;
    assert!(began.status.is_success(), "{}", began.json);
    let sent = server.wechat.take_sent();
    let refund = sent
        .iter()
        .find(|sent| sent.path.ends_with("/refunds"))
        .unwrap();
    let body: Value = serde_json::from_slice(&refund.body).unwrap();
    assert_eq!(body["sub_mchid"], partner.sub_mchid);
    // There is no notification; the query names the sub-merchant, too.
    server.simulator.run_due().await;
    server.clock.advance_ms(60_000);
    server.simulator.run_due().await;
    server.later(1).await;
    let refunds = server.shown("/tea-0001/refunds").await.json;
    assert_eq!(refunds["refunds"][0]["state"], "succeeded", "{refunds}");
    assert_eq!(server.checkout(&token).await.number("refunded_fen"), 990);
}

#[tokio::test]
async fn an_order_must_name_a_configured_sub_merchant() {
    let partner = open_with("").await;
    let server = &partner.server;
    let stranger = partner.order(&json!({"sub_mchid": "1999999999"}));
    let mut nobody = stranger.clone();
    nobody.as_object_mut().unwrap().remove("sub_mchid");
    for (order, says) in [(nobody, "is missing"), (stranger, "none of the configured")] {
        let refused = server.post_order(&order).await;
        assert_eq!(refused.code(), "INVALID_REQUEST");
        assert_eq!(refused.json["error"]["field"], "sub_mchid");
        assert!(refused.text().contains(says), "{}", refused.json);
    }
}

#[tokio::test]
async fn the_appid_of_the_openid_signs_the_cashier_call() {
    let partner = open_with("").await;
    let server = &partner.server;
    let provider = merchant()["appid"].as_str().unwrap().to_owned();
    let cases = [
        ("tea-0001", "openid", provider.clone(), "sp_openid"),
        (
            "tea-0002",
            "sub_openid",
            partner.sub_appid.clone(),
            "sub_openid",
        ),
    ];
    for (order_no, given, appid, sent_as) in cases {
        let openid = server.simulator.openid(&appid);
        let order = partner.order(&json!({"order_no": order_no, "payer": {given: openid}}));
        let token = server.order(order).await;
        let paying = server.attempt(&token, &[("product", "jsapi")]).await;
        assert_eq!(paying.json["jsapi"]["appId"], appid, "{}", paying.json);
        assert_eq!(server.last_order()["payer"], json!({sent_as: openid}));
        partner.server.pay(order_no).await;
        server.deliver(&server.take_notifications()[0]).await;
        assert_eq!(server.checkout(&token).await.string("state"), "paid");
    }
    assert_eq!(server.mismatches().await, []);
}

#[tokio::test]
async fn the_openid_comes_from_the_sub_merchants_account_if_its_secret_is_configured() {
    let partner = open_with("sub_app_secret = \"0123456789abcdef0123456789abcdef\"").await;
    let server = &partner.server;
    let token = server.order(partner.order(&json!({}))).await;
    let asked = server.attempt(&token, &[("product", "jsapi"), BACK]).await;
    let url = Url::parse(asked.string("authorize_url")).unwrap();
    assert!(url.as_str().starts_with(WECHAT), "{url}");
    let value = |name: &str| -> String {
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    assert_eq!(value("appid"), partner.sub_appid);
    let openid = server.simulator.openid(&partner.sub_appid);
    let openid_reply = format!("{{\"openid\":\"{openid}\"}}");
    server
        .wechat
        .inject("openid", Fault::Answered(200, openid_reply.leak()));
    let back = format!("/wechat/oauth/callback?code=c&state={}", value("state"));
    let handle = handle(&server.get(&back).await);
    let paying = server
        .attempt(&token, &[("product", "jsapi"), BACK, ("payer", &handle)])
        .await;
    assert_eq!(
        paying.json["jsapi"]["appId"], partner.sub_appid,
        "{}",
        paying.json
    );
    assert_eq!(server.last_order()["payer"], json!({"sub_openid": openid}));
}

#[tokio::test]
async fn a_payment_to_another_sub_merchant_is_stored_queried_and_settles_nothing() {
    let partner = open_with("").await;
    let server = &partner.server;
    let token = server.order(partner.order(&json!({}))).await;
    server.attempt(&token, &[("product", "native")]).await;
    let merchant = merchant();
    let resource = |sub_mchid: &str, sub_appid: &str| {
        json!({
            "sp_appid": merchant["appid"], "sp_mchid": merchant["mchid"],
            "sub_mchid": sub_mchid, "sub_appid": sub_appid, "out_trade_no": "tea-0001",
            "transaction_id": "4200000000202611210000000001", "trade_type": "NATIVE",
            "trade_state": "SUCCESS", "trade_state_desc": "支付成功", "bank_type": "OTHERS",
            "success_time": "2026-11-21T17:20:10+08:00",
            "payer": {"sp_openid": "oSecretOpenId"},
            "amount": {"total": 1990, "payer_total": 1990, "currency": "CNY"},
        })
    };
    let strangers = [
        ("1", resource("1999999999", &partner.sub_appid), "sub_mchid"),
        ("2", resource(&partner.sub_mchid, "wxother"), "sub_appid"),
    ];
    for (id, stranger, reason) in strangers {
        // Each notification reports a different payment.
        let mut stranger = stranger;
        stranger["transaction_id"] = format!("420000000020261121000000000{id}").into();
        let notification = payment_notification(id, &stranger, server.clock.now_ms());
        assert_eq!(
            server.deliver(&notification).await.status,
            StatusCode::NO_CONTENT
        );
        let kept = server.mismatches().await;
        assert_eq!(kept.last().unwrap().1, reason);
    }
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    // A merchant's own form under a partner's number does not fit either.
    let plain = crate::test_server::transaction("tea-0001", 1990);
    server
        .deliver(&payment_notification("3", &plain, server.clock.now_ms()))
        .await;
    assert_eq!(server.checkout(&token).await.string("state"), "open");
    server
        .deliver(&payment_notification(
            "4",
            &resource(&partner.sub_mchid, &partner.sub_appid),
            server.clock.now_ms(),
        ))
        .await;
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}

/// The receipt page's address as WeChat makes it.
fn receipt_path_of(sub_mchid: &str, transaction_id: &str) -> String {
    let query = format!("?sub_mch_id={sub_mchid}&out_trade_no=tea-0001");
    let hashed = format!("{MERCHANT}/wechat/receipt{query}&transaction_id={transaction_id}");
    let digest = <md5::Md5 as md5::Digest>::digest(hashed.as_bytes());
    let code = digest.iter().fold(String::new(), |mut code, byte| {
        write!(code, "{byte:02x}").unwrap();
        code
    });
    format!("/wechat/receipt{query}&check_code={code}")
}

async fn receipt_path(partner: &Partner) -> String {
    let shown = partner.server.shown("/tea-0001").await.json;
    let transaction_id = shown["transaction_id"].as_str().unwrap_or("unpaid");
    receipt_path_of(&partner.sub_mchid, transaction_id)
}

async fn look(server: &TestServer, path: &str) -> Answer {
    server
        .send(Request::get(path).body(Body::empty()).unwrap())
        .await
}

#[tokio::test]
async fn the_receipt_is_shown_in_wechats_frame_and_leads_back_to_the_shop() {
    let partner = open_with("").await;
    let server = &partner.server;
    let order = partner.order(&json!({"success_url": "http://127.0.0.1:8000/thanks?a=1&b=2"}));
    let token = server.order(order).await;
    server.attempt(&token, &[("product", "native")]).await;
    partner.server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    let path = receipt_path(&partner).await;
    let page = look(server, &path).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    for expected in [
        "data-display=\"SHOW_CUSTOM_PAGE\"",
        &*format!("data-parents=\"{WECHAT}\""),
        "支付成功",
        "¥19.90",
        "tea-0001",
        "id=\"leave\"",
        "href=\"http://127.0.0.1:8000/thanks?a=1&amp;b=2\"",
        "<script src=\"/receipt.js\" defer>",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(
        !text.contains(&token) && !text.contains("wechat-pay.js"),
        "{text}"
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains(&format!("frame-ancestors {WECHAT}")),
        "{policy}"
    );
    assert!(page.headers.get("x-frame-options").is_none());
    assert_eq!(page.headers["cache-control"], "no-store");
    let script = look(server, "/receipt.js").await.text();
    for expected in ["onIframeReady", "jumpOut", "dataset.parents"] {
        assert!(script.contains(expected), "{expected} in {script}");
    }
}

#[tokio::test]
async fn without_wechats_check_code_no_order_is_shown() {
    let partner = open_with("").await;
    let server = &partner.server;
    let token = server.order(partner.order(&json!({}))).await;
    server.attempt(&token, &[("product", "native")]).await;
    let unpaid = receipt_path(&partner).await;
    server.wechat.take_sent();
    assert!(
        look(server, &unpaid)
            .await
            .text()
            .contains("SHOW_OFFICIAL_PAGE")
    );
    assert_eq!(server.wechat.take_kinds(), ["query"]);
    partner.server.pay("tea-0001").await;
    server.deliver(&server.take_notifications()[0]).await;
    let good = receipt_path(&partner).await;
    let (front, code) = good.split_once("check_code=").unwrap();
    for path in [
        "/wechat/receipt".to_owned(),
        front.to_owned(),
        format!("{front}check_code={}", "0".repeat(32)),
        format!("{front}check_code={code}0"),
        good.replace("tea-0001", "tea-0002"),
        good.replace(&partner.sub_mchid, "1999999999"),
    ] {
        let text = look(server, &path).await.text();
        assert!(text.contains("SHOW_OFFICIAL_PAGE"), "{path}");
        assert!(
            !text.contains("19.90") && !text.contains("tea-0001"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn guessed_receipts_cause_no_query_and_are_limited() {
    let more = "rate_limits = { token_per_minute = 100, address_per_minute = 5 }";
    let partner = open_with_lines(more, "").await;
    let server = &partner.server;
    let token = server.order(partner.order(&json!({}))).await;
    server.attempt(&token, &[("product", "native")]).await;
    server.wechat.take_sent();
    let query = format!("sub_mch_id={}&out_trade_no=tea-0001", partner.sub_mchid);
    for code in ["", "0", "not a code of any kind, but of 32 "] {
        let path = format!(
            "/wechat/receipt?{query}&check_code={}",
            code.replace(' ', "%20")
        );
        assert_eq!(look(server, &path).await.status, StatusCode::OK);
    }
    assert_eq!(server.wechat.take_sent(), []);
    // For a code that may be WeChat's, the server queries WeChat once, however often the code
    // comes.
    let path = format!("/wechat/receipt?{query}&check_code={}", "0".repeat(32));
    look(server, &path).await;
    assert_eq!(server.wechat.take_kinds(), ["query"]);
    let one_too_many = look(server, &path).await;
    assert_eq!(one_too_many.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(one_too_many.headers.contains_key("retry-after"));
    assert!(
        one_too_many.text().contains("操作过于频繁"),
        "{one_too_many:?}"
    );
    assert_eq!(server.wechat.take_sent(), []);
    let redirect = look(server, "/wechat/oauth/callback?code=x&state=y").await;
    assert_eq!(redirect.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_receipt_before_its_notification_causes_a_query() {
    let partner = open_with("").await;
    let server = &partner.server;
    let token = server.order(partner.order(&json!({}))).await;
    server.attempt(&token, &[("product", "native")]).await;
    partner.server.pay("tea-0001").await;
    // WeChat's frame is opened before the notification. The transaction id in its code is
    // WeChat's own.
    let ledger = serde_json::to_value(server.simulator.ledger_view(None)).unwrap();
    let transaction_id = ledger["orders"][0]["transaction_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = receipt_path_of(&partner.sub_mchid, &transaction_id);
    let text = look(server, &path).await.text();
    assert!(text.contains("SHOW_CUSTOM_PAGE"), "{text}");
    assert_eq!(server.checkout(&token).await.string("state"), "paid");
}

#[tokio::test]
async fn guessed_receipts_of_many_orders_cause_a_limited_number_of_queries() {
    let more = "rate_limits = { token_per_minute = 10000, address_per_minute = 10000 }";
    let partner = open_with_lines(more, "").await;
    let server = &partner.server;
    let guess = |place: usize, address: String| {
        let sub = &partner.sub_mchid;
        let path = format!(
            "/wechat/receipt?sub_mch_id={sub}&out_trade_no=tea-{place:04}&check_code={}",
            "0".repeat(32)
        );
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        let peer: std::net::SocketAddr = format!("{address}:5000").parse().unwrap();
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        server.send(request)
    };
    for place in 1..=50 {
        let order = partner.order(&json!({ "order_no": format!("tea-{place:04}") }));
        let token = server.order(order).await;
        server.attempt(&token, &[("product", "native")]).await;
    }
    server.wechat.take_sent();
    // One address tries 50 orders.
    for place in 1..=50 {
        let answer = guess(place, "203.0.113.7".to_owned()).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text().contains("SHOW_OFFICIAL_PAGE"));
    }
    assert_eq!(server.wechat.take_kinds(), ["query"; 5]);
    // Many addresses try one order each.
    for place in 6..=50 {
        guess(place, format!("198.51.100.{place}")).await;
    }
    let by_many = server.wechat.take_kinds().len();
    assert_eq!(by_many, 15, "the rest of twenty");
    // Soon afterwards a buyer's page may cause a query again.
    server.clock.advance_ms(2_500);
    guess(1, "192.0.2.1".to_owned()).await;
    assert_eq!(server.wechat.take_kinds(), ["query"]);
}
