//! Static product codes (Native mode 1): WeChat's callback, the order by a fixed price or by the answer
//! of the backend, repeated and forged callbacks, a process that ends in the middle.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::pin::pin;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, StatusCode};
use merchant_server::{Clock as _, Config, product_codes};
use serde_json::{Value, json};
use wechat_pay::v2::{NativeAnswer, NativeCallback, SignType};
use wechat_pay::{OpenId, Stamp};

use crate::cluster;
use crate::test_server::{
    Answer, TestServer, configuration, merchant, sub_merchant, sub_merchant_table,
};
use crate::version_2::api_v2_key;

const CALLBACK: &str = "/wechat/notify/native";
/// A merchant of version 3 with the key of version 2, and one of version 2.
const VERSIONS: [&str; 2] = ["", "api = \"v2\"\nv2_sign_type = \"MD5\"\n"];
const BACKEND: &str = "http://127.0.0.1:7000/scans";
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const BUSY: &str = "商家系统繁忙，请稍后重新扫码";

async fn server(merchant: &str) -> TestServer {
    let backend = format!("[scan_webhook]\nurl = \"{BACKEND}\"\nsecret = \"{SECRET}\"\n");
    TestServer::open_configured(&(configuration("") + merchant + &backend)).await
}

/// The configuration of the command line beside the server.
async fn config(server: &TestServer) -> Config {
    let backend = format!("[scan_webhook]\nurl = \"{BACKEND}\"\nsecret = \"{SECRET}\"\n");
    let text = cluster::configured(&(configuration("") + &backend), server.folder.path()).await;
    Config::parse(&text, server.folder.path()).unwrap()
}

async fn add(server: &TestServer, product_id: &str, price_fen: Option<u64>) {
    let config = config(server).await;
    product_codes::add(&config, product_id, "一壶茶", price_fen)
        .await
        .unwrap();
}

fn callback(product_id: &str, openid: &str) -> NativeCallback {
    NativeCallback {
        appid: merchant()["appid"].as_str().unwrap().to_owned(),
        mch_id: merchant()["mchid"].as_str().unwrap().to_owned(),
        openid: OpenId::parse(openid).unwrap(),
        is_subscribe: Some(true),
        product_id: product_id.to_owned(),
    }
}

fn message(server: &TestServer, callback: &NativeCallback, nonce: u8) -> Bytes {
    let stamp = Stamp::new(server.clock.now_ms() / 1000, [nonce; 16]);
    callback.message(&api_v2_key(), SignType::Md5, &stamp)
}

async fn post(server: &TestServer, body: impl Into<Body>) -> Answer {
    let request = Request::post(CALLBACK).header("content-type", "text/xml");
    server.send(request.body(body.into()).unwrap()).await
}

/// A buyer scans: what WeChat gets as the answer.
async fn scan(server: &TestServer, product_id: &str, openid: &str, nonce: u8) -> NativeAnswer {
    let body = message(server, &callback(product_id, openid), nonce);
    let answer = post(server, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.headers["content-type"], "text/xml; charset=utf-8");
    NativeAnswer::open(&answer.body, &api_v2_key(), SignType::Md5).unwrap()
}

async fn prepay_id(server: &TestServer, product_id: &str, openid: &str, nonce: u8) -> String {
    match scan(server, product_id, openid, nonce).await {
        NativeAnswer::Prepared { prepay_id } => prepay_id,
        NativeAnswer::Refused { message } => panic!("{message}"),
    }
}

async fn refusal(server: &TestServer, product_id: &str, openid: &str, nonce: u8) -> String {
    match scan(server, product_id, openid, nonce).await {
        NativeAnswer::Refused { message } => message,
        NativeAnswer::Prepared { prepay_id } => panic!("{prepay_id}"),
    }
}

async fn orders(server: &TestServer) -> Vec<Value> {
    let list = server.read_private("/v1/orders").await;
    list.json["orders"].as_array().unwrap().clone()
}

/// The buyer pays with the answer of the callback, and WeChat notifies.
async fn pay(server: &TestServer, prepay_id: &str) {
    let payment = json!({"prepay_id": prepay_id, "outcome": "success"});
    let paid = server.simulate("pay", &payment).await;
    assert_eq!(paid["trade_state"], "SUCCESS", "{paid}");
    server.simulator.run_due().await;
    for notification in server.take_notifications() {
        server.deliver_to(notification.path(), &notification).await;
    }
}

#[tokio::test]
async fn a_scan_of_a_code_with_a_price_makes_an_order_that_the_buyer_pays() {
    for version in VERSIONS {
        let server = server(version).await;
        add(&server, "tea-1", Some(1990)).await;
        let prepay_id = prepay_id(&server, "tea-1", "oBuyer1", 1).await;
        pay(&server, &prepay_id).await;
        let orders = orders(&server).await;
        assert_eq!(orders.len(), 1, "{version}");
        assert_eq!(orders[0]["state"], "paid", "{version}");
        assert_eq!(orders[0]["total_fen"], 1990);
        assert_eq!(orders[0]["description"], "一壶茶");
        let order_no = orders[0]["order_no"].as_str().unwrap();
        let shown = server.shown(&format!("/{order_no}")).await.json;
        assert_eq!(shown["attach"], "tea-1");
        assert_eq!(server.backend.take().len(), 0);
        let sent = server.wechat.take_sent();
        let orders = sent.iter().filter(|sent| sent.kind == "order");
        assert!(orders.clone().all(|sent| !sent.path.starts_with("/v3/")));
        assert_eq!(orders.count(), 1);
    }
}

#[tokio::test]
async fn a_repeated_callback_is_the_same_order_and_a_paid_one_is_not_sold_twice() {
    for version in VERSIONS {
        let server = server(version).await;
        add(&server, "tea-1", Some(1990)).await;
        let first = prepay_id(&server, "tea-1", "oBuyer1", 1).await;
        assert_eq!(prepay_id(&server, "tea-1", "oBuyer1", 1).await, first);
        // The buyer scans again before paying: WeChat's nonce is another one.
        assert_eq!(prepay_id(&server, "tea-1", "oBuyer1", 2).await, first);
        assert_eq!(orders(&server).await.len(), 1);
        assert_ne!(prepay_id(&server, "tea-1", "oBuyer2", 1).await, first);
        assert_eq!(orders(&server).await.len(), 2);
        pay(&server, &first).await;
        for nonce in [1, 2] {
            let paid = refusal(&server, "tea-1", "oBuyer1", nonce).await;
            assert!(paid.contains("已支付"), "{paid}");
        }
        // A third scan buys a second pot.
        assert_ne!(prepay_id(&server, "tea-1", "oBuyer1", 3).await, first);
        assert_eq!(orders(&server).await.len(), 3);
    }
}

#[tokio::test]
async fn callbacks_that_arrive_together_make_one_order() {
    let server = server("").await;
    add(&server, "tea-1", Some(1990)).await;
    let body = message(&server, &callback("tea-1", "oBuyer1"), 1);
    let (one, other) = tokio::join!(post(&server, body.clone()), post(&server, body));
    let open =
        |answer: &Answer| NativeAnswer::open(&answer.body, &api_v2_key(), SignType::Md5).unwrap();
    assert!(matches!(open(&one), NativeAnswer::Prepared { .. }));
    assert_eq!(open(&one), open(&other));
    assert_eq!(orders(&server).await.len(), 1);
}

#[tokio::test]
async fn a_changed_price_counts_for_the_next_scan_and_a_removed_code_is_refused() {
    let server = server("").await;
    add(&server, "tea-1", Some(1990)).await;
    let first = prepay_id(&server, "tea-1", "oBuyer1", 1).await;
    let config = config(&server).await;
    product_codes::remove(&config, "tea-1").await.unwrap();
    let refused = refusal(&server, "tea-1", "oBuyer1", 2).await;
    assert_eq!(refused, "该商品已下架");
    add(&server, "tea-1", Some(2990)).await;
    let second = prepay_id(&server, "tea-1", "oBuyer1", 3).await;
    assert_ne!(second, first);
    let totals: Vec<_> = orders(&server).await;
    let totals: Vec<_> = totals.iter().map(|order| &order["total_fen"]).collect();
    assert_eq!(totals, [2990, 1990]);
}

#[tokio::test]
async fn a_callback_that_wechat_did_not_sign_makes_no_order() {
    let server = server("").await;
    add(&server, "tea-1", Some(1990)).await;
    let genuine = callback("tea-1", "oBuyer1");
    let stamp = Stamp::new(server.clock.now_ms() / 1000, [1; 16]);
    let text = String::from_utf8(message(&server, &genuine, 1).to_vec()).unwrap();
    let unsigned = |text: &str| {
        let (before, rest) = text.split_once("<sign>").unwrap();
        format!("{before}{}", rest.split_once("</sign>").unwrap().1)
    };
    let other = |change: fn(&mut NativeCallback)| {
        let mut callback = genuine.clone();
        change(&mut callback);
        callback
            .message(&api_v2_key(), SignType::Md5, &stamp)
            .to_vec()
    };
    let other_key = wechat_pay::v2::ApiV2Key::parse("A".repeat(32)).unwrap();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        (
            "another product",
            text.replace("tea-1", "tea-2").into_bytes(),
        ),
        ("no signature", unsigned(&text).into_bytes()),
        (
            "another key",
            genuine.message(&other_key, SignType::Md5, &stamp).to_vec(),
        ),
        (
            "another kind",
            genuine
                .message(&api_v2_key(), SignType::HmacSha256, &stamp)
                .to_vec(),
        ),
        (
            "another merchant",
            other(|callback| callback.mch_id = "1900000001".to_owned()),
        ),
        (
            "another appid",
            other(|callback| callback.appid = "wx0000000000000001".to_owned()),
        ),
        ("no field", b"<xml></xml>".to_vec()),
        (
            "an entity",
            b"<!DOCTYPE x [<!ENTITY e \"e\">]><xml><a>&e;</a></xml>".to_vec(),
        ),
        ("JSON", b"{}".to_vec()),
        ("no UTF-8", vec![0xff, 0xfe]),
        ("nothing", Vec::new()),
    ];
    for (what, body) in bodies {
        let refused = post(&server, body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{what}");
        assert!(refused.text().contains("FAIL"), "{what}");
    }
    let too_long = post(&server, vec![b' '; 300 * 1024]).await;
    assert_eq!(too_long.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(orders(&server).await.len(), 0);
    assert_eq!(server.wechat.take_sent(), []);
}

/// Sets the answer of the backend to all later calls.
fn answer(server: &TestServer, body: &Value) {
    server.backend.answer(StatusCode::OK);
    server.backend.answer_body(body.to_string().leak());
}

#[tokio::test]
async fn the_backend_says_what_a_scan_without_a_price_costs() {
    for version in VERSIONS {
        let server = server(version).await;
        add(&server, "tea-2", None).await;
        answer(
            &server,
            &json!({"total_fen": 2590, "description": "两杯茶", "order_no": "table-7-0001", "attach": "table 7"}),
        );
        let prepay_id = prepay_id(&server, "tea-2", "oBuyer1", 1).await;
        let questions = server.backend.take();
        assert_eq!(questions.len(), 1);
        let question = &questions[0];
        assert_eq!(question.url, BACKEND);
        let foreign = standardwebhooks::Webhook::new(SECRET).unwrap();
        let id = question.header("webhook-id");
        let at_s = question.header("webhook-timestamp").parse().unwrap();
        let expected = foreign.sign(id, at_s, &question.body).unwrap();
        assert_eq!(question.header("webhook-signature"), expected);
        let json = question.json();
        assert_eq!(json["type"], "product.scanned");
        let data = &json["data"];
        assert_eq!(data["product_id"], "tea-2");
        assert_eq!(data["name"], "一壶茶");
        assert_eq!(data["openid"], "oBuyer1");
        assert_eq!(data["is_subscribed"], true);
        assert_eq!(data["scan_id"], question.header("webhook-id"));
        pay(&server, &prepay_id).await;
        let shown = server.shown("/table-7-0001").await.json;
        assert_eq!(shown["state"], "paid", "{version} {shown}");
        assert_eq!(shown["total_fen"], 2590);
        assert_eq!(shown["description"], "两杯茶");
        assert_eq!(shown["attach"], "table 7");
    }
}

#[tokio::test]
async fn a_backend_that_names_two_numbers_for_one_scan_gets_one_payable_order() {
    let server = server("").await;
    add(&server, "tea-2", None).await;
    answer(
        &server,
        &json!({"total_fen": 100, "order_no": "table-0001"}),
    );
    let first = prepay_id(&server, "tea-2", "oBuyer1", 1).await;
    answer(
        &server,
        &json!({"total_fen": 100, "order_no": "table-0002"}),
    );
    assert_eq!(prepay_id(&server, "tea-2", "oBuyer1", 1).await, first);
    assert_eq!(orders(&server).await.len(), 1);
    assert_eq!(server.backend.take().len(), 1, "the scan is known");
}

#[tokio::test]
async fn without_a_usable_answer_of_the_backend_the_buyer_is_told_and_nothing_is_ordered() {
    let server = server("").await;
    add(&server, "tea-2", None).await;
    let unusable = [
        json!({"total_fen": 0}),
        json!({"total_fen": -1}),
        json!({"total_fen": 19.9}),
        json!({"total_fen": "1990"}),
        json!({"total_fen": 1_000_000_001}),
        json!({"total_fen": 1990, "refusal": "已售完"}),
        json!({"total_fen": 1990, "price": 1}),
        json!({"total_fen": 1990, "order_no": "x"}),
        json!({"total_fen": 1990, "description": ""}),
        json!({"description": "tea"}),
        json!({"total_fen": 1990, "description": null}),
        json!({"total_fen": 1990, "attach": "a\nb"}),
        json!({"refusal": ""}),
        json!({"refusal": "\u{202e}"}),
        json!({}),
        json!([]),
        json!("tea"),
    ];
    for (nonce, body) in (1..).zip(&unusable) {
        answer(&server, body);
        assert_eq!(
            refusal(&server, "tea-2", "oBuyer1", nonce).await,
            BUSY,
            "{body}"
        );
    }
    for (nonce, text) in (50..).zip(["", "{", "{\"total_fen\":1,\"total_fen\":2}", "\u{0}"]) {
        server.backend.answer_body(text);
        assert_eq!(
            refusal(&server, "tea-2", "oBuyer1", nonce).await,
            BUSY,
            "{text}"
        );
    }
    server.backend.answer(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(refusal(&server, "tea-2", "oBuyer1", 60).await, BUSY);
    // Its own refusal is shown, as far as WeChat takes it.
    answer(&server, &json!({"refusal": "已售完"}));
    assert_eq!(refusal(&server, "tea-2", "oBuyer1", 61).await, "已售完");
    answer(&server, &json!({"refusal": "售".repeat(60)}));
    assert_eq!(
        refusal(&server, "tea-2", "oBuyer1", 62).await,
        "售".repeat(42)
    );
    assert_eq!(orders(&server).await.len(), 0);
    assert_eq!(server.wechat.take_sent(), []);
}

#[tokio::test]
async fn a_backend_that_does_not_answer_in_three_seconds_is_not_waited_for() {
    let server = server("").await;
    add(&server, "tea-2", None).await;
    server.backend.hang(BACKEND);
    let refused = refusal(&server, "tea-2", "oBuyer1", 1);
    let time = async {
        server.backend.wait_for_count(BACKEND, 1).await;
        server.clock.somebody_waits().await;
        server.clock.advance_ms(3_000);
    };
    let (refused, ()) = tokio::join!(refused, time);
    assert_eq!(refused, BUSY);
    assert_eq!(orders(&server).await.len(), 0);
}

#[tokio::test]
async fn wechats_refusal_of_the_order_is_a_refusal_of_the_scan() {
    let server = server("").await;
    add(&server, "tea-1", Some(1990)).await;
    server
        .wechat
        .inject("order", crate::fault_injector::Fault::NotSent);
    assert_eq!(refusal(&server, "tea-1", "oBuyer1", 1).await, BUSY);
    // The next callback continues the same order.
    prepay_id(&server, "tea-1", "oBuyer1", 1).await;
    assert_eq!(orders(&server).await.len(), 1);
}

/// The process ends after each poll of the callback in turn. WeChat repeats the callback at the next
/// process, and the buyer pays once.
#[tokio::test]
async fn a_callback_holds_at_every_point() {
    for polls in 1.. {
        assert!(polls < 100, "a callback that does not end");
        let server = server("").await;
        add(&server, "tea-1", Some(1990)).await;
        let body = message(&server, &callback("tea-1", "oBuyer1"), 1);
        let is_cut = {
            let mut operation = pin!(post(&server, body));
            let mut count = 0;
            let mut is_done = false;
            std::future::poll_fn(|context| {
                if count == polls {
                    return std::task::Poll::Ready(());
                }
                count += 1;
                is_done = operation.as_mut().poll(context).is_ready();
                if is_done || count == polls {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
            !is_done
        };
        let server = server.restart().await;
        let prepay_id = prepay_id(&server, "tea-1", "oBuyer1", 1).await;
        pay(&server, &prepay_id).await;
        let orders = orders(&server).await;
        assert_eq!(orders.len(), 1, "cut after {polls} polls");
        assert_eq!(orders[0]["state"], "paid", "cut after {polls} polls");
        if !is_cut {
            assert!(polls > 3, "no point was tried");
            return;
        }
    }
}

#[tokio::test]
async fn a_merchant_that_cannot_have_product_codes_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let keyless = std::fs::read_to_string(crate::test_server::KEYS.path().join("merchant.json"));
    let mut keyless: Value = serde_json::from_str(&keyless.unwrap()).unwrap();
    keyless.as_object_mut().unwrap().remove("api_v2_key");
    for file in [
        "private_key_file",
        "certificate_file",
        "public_key_file",
        "platform_certificate_file",
    ] {
        if let Some(name) = keyless[file].as_str() {
            keyless[file] = crate::test_server::KEYS.path().join(name).to_str().into();
        }
    }
    let file = folder.path().join("merchant.json");
    std::fs::write(&file, keyless.to_string()).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    let text = configuration("");
    let (before, _) = text.split_once("from_file").unwrap();
    let without_key = format!("{before}from_file = \"{}\"\n", file.display());
    let partner = configuration("") + &sub_merchant_table(&sub_merchant(1));
    let not_native = configuration("products = [\"h5\"]");
    for (text, expected) in [
        (without_key, "merchant.api_v2_key"),
        (partner, "service providers"),
        (not_native, "native"),
    ] {
        let config = Config::parse(&text, folder.path()).unwrap();
        let refused = product_codes::add(&config, "tea-1", "茶", Some(1)).await;
        let error = refused.unwrap_err();
        assert!(error.is_misuse());
        assert!(error.to_string().contains(expected), "{error}");
    }
    for (lines, expected) in [
        (
            "url = \"http://127.0.0.1:7000/scans\"",
            "scan_webhook.secret: is missing",
        ),
        (
            "url = \"http://shop.example/scans\"\nsecret = \"whsec_x\"",
            "scan_webhook.url: ",
        ),
        (
            "url = \"http://127.0.0.1:7000/scans\"\nsecret = \"x\"",
            "scan_webhook.secret: must begin",
        ),
    ] {
        let text = format!("{}[scan_webhook]\n{lines}\n", configuration(""));
        let refused = Config::parse(&text, folder.path()).unwrap_err().to_string();
        assert!(refused.starts_with(expected), "{refused}");
    }
}

#[tokio::test]
async fn a_code_is_added_listed_printed_and_removed_by_its_rules() {
    let server = server("").await;
    let config = config(&server).await;
    for (product_id, name, price_fen, expected) in [
        ("tea 1", "茶", Some(1), "product_id"),
        ("", "茶", Some(1), "product_id"),
        (&*"x".repeat(33), "茶", Some(1), "product_id"),
        ("tea-1", "", Some(1), "--name"),
        ("tea-1", "a\nb", Some(1), "--name"),
        ("tea-1", "茶", Some(0), "--price-fen"),
        ("tea-1", "茶", Some(1_000_000_001), "--price-fen"),
    ] {
        let refused = product_codes::add(&config, product_id, name, price_fen).await;
        let error = refused.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{product_id}: {error}");
    }
    add(&server, "tea-2", None).await;
    add(&server, "tea-1", Some(1990)).await;
    let twice = product_codes::add(&config, "tea-1", "茶", Some(1)).await;
    assert!(twice.unwrap_err().to_string().contains("already"));
    let listed = product_codes::list(&config).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|code| &*code.product_id).collect();
    assert_eq!(listed, ["tea-1", "tea-2"]);

    let links = product_codes::links(&config, &[]).await.unwrap();
    assert_eq!(links.len(), 2);
    let wanted = ["tea-2".to_owned()];
    let again = product_codes::links(&config, &wanted).await.unwrap();
    assert_eq!(again[0].1, links[1].1, "a second print is the same");
    let link = wechat_pay::v2::read_native_link(&links[0].1).unwrap();
    let verified = link.verify(&api_v2_key()).unwrap();
    assert_eq!(verified.fields.fields().get("product_id"), Some("tea-1"));
    let unknown = product_codes::links(&config, &["tea-9".to_owned()]).await;
    assert!(unknown.unwrap_err().to_string().contains("tea-9"));
    product_codes::remove(&config, "tea-1").await.unwrap();
    let gone = product_codes::remove(&config, "tea-1").await;
    assert!(gone.unwrap_err().to_string().contains("tea-1"));
}
