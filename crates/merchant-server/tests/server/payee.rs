//! Who is paid, as buyers read it: the name of the order, of the sub-merchant or of the merchant, in the
//! answer and on the pages, as text.

use http::StatusCode;
use serde_json::{Value, json};

use crate::links::link;
use crate::test_server::{TestServer, sub_merchant, sub_merchant_table};

/// A name that would be markup, if it were not written as text.
const NAME: &str = r#"<b>云岭茶铺</b> & "Co.""#;
const ESCAPED: &str = "&lt;b&gt;云岭茶铺&lt;/b&gt; &amp; &quot;Co.&quot;";

async fn order(server: &TestServer, order_no: &str, more: &Value) -> String {
    let mut order = json!({"order_no": order_no, "total_fen": 1990, "description": "一壶茶"});
    for (name, value) in more.as_object().unwrap() {
        order[name] = value.clone();
    }
    server.order(order).await
}

async fn payee(server: &TestServer, token: &str) -> Value {
    server.checkout(token).await.json["payee"].clone()
}

#[tokio::test]
async fn the_answer_and_the_page_say_who_is_paid() {
    let server = TestServer::open_with_merchant("", &format!("payee = '''  {NAME} '''\n")).await;
    let token = order(&server, "tea-0001", &json!({})).await;
    assert_eq!(payee(&server, &token).await, NAME);
    let page = server.get(&format!("/c/{token}")).await.text();
    let title = format!("<title>{ESCAPED} · 微信支付</title>");
    assert!(page.contains(&title), "{page}");
    let card = format!("<p class=\"payee\" dir=\"auto\">{ESCAPED}</p>");
    assert!(page.contains(&card), "{page}");
    assert!(!page.contains("<b>"), "{page}");
}

#[tokio::test]
async fn the_name_in_an_order_comes_before_the_configured_one() {
    let server = TestServer::open_with_merchant("", "payee = \"云岭茶铺\"\n").await;
    let own = json!({"payee": " 翠湖店 "});
    let token = order(&server, "tea-0001", &own).await;
    assert_eq!(payee(&server, &token).await, "翠湖店");
    let again = json!({
        "order_no": "tea-0001", "total_fen": 1990, "description": "一壶茶", "payee": " 翠湖店 ",
    });
    let again = server.post_order(&again).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.json);
    assert_eq!(again.string("token"), token, "the same order again");
    let page = server.get(&format!("/c/{token}")).await.text();
    assert!(
        page.contains("翠湖店") && !page.contains("云岭茶铺"),
        "{page}"
    );
}

#[tokio::test]
async fn the_page_of_a_payment_link_says_who_is_paid() {
    let server = TestServer::open_with_merchant("", &format!("payee = '''{NAME}'''\n")).await;
    let id = link(
        &server,
        json!({ "total_fen": 1990, "description": "一壶茶" }),
    )
    .await;
    let page = server.get(&format!("/p/{id}")).await.text();
    for part in [
        format!("<title>{ESCAPED} · 微信支付</title>"),
        format!("<p class=\"payee\" dir=\"auto\">{ESCAPED}</p>"),
    ] {
        assert!(page.contains(&part), "{part}: {page}");
    }
    let sub = sub_merchant(1);
    let table = format!("payee = \"支付服务商\"\n{}", sub_merchant_table(&sub));
    let server = TestServer::open_with_merchant("", &table).await;
    let of_sub = json!({ "total_fen": 1990, "description": "一壶茶", "sub_mchid": sub.sub_mchid });
    let id = link(&server, of_sub).await;
    let page = server.get(&format!("/p/{id}")).await.text();
    assert!(
        page.contains("一壶茶") && !page.contains("支付服务商"),
        "{page}"
    );
}

#[tokio::test]
async fn without_a_name_the_answer_and_the_title_have_none() {
    let server = TestServer::open().await;
    let token = server.default_order().await;
    assert_eq!(payee(&server, &token).await, Value::Null);
    let page = server.get(&format!("/c/{token}")).await.text();
    assert!(page.contains("<title>微信支付</title>"), "{page}");
}

#[tokio::test]
async fn an_order_for_a_sub_merchant_never_has_the_name_of_its_provider() {
    let [one, two] = [1, 2].map(sub_merchant);
    let table = format!(
        "payee = \"支付服务商\"\n{}payee = \"云岭茶铺\"\n{}",
        sub_merchant_table(&one),
        sub_merchant_table(&two)
    );
    let server = TestServer::open_with_merchant("", &table).await;
    for (order_no, sub, expected) in [
        ("tea-0001", &one, json!("云岭茶铺")),
        ("tea-0002", &two, Value::Null),
    ] {
        let of_sub = json!({"sub_mchid": sub.sub_mchid});
        let token = order(&server, order_no, &of_sub).await;
        assert_eq!(payee(&server, &token).await, expected, "{order_no}");
    }
}

#[tokio::test]
async fn a_name_that_cannot_be_shown_is_refused_with_its_rule() {
    let server = TestServer::open().await;
    let (longest, too_long) = ("茶".repeat(64), "茶".repeat(65));
    for (name, rule) in [
        (&*too_long, "payee must be 1 to 64 characters"),
        ("tea\u{202e}pot", "payee must not have characters that turn"),
        ("tea\u{2067}pot", "payee must not have characters that turn"),
        ("tea\npot", "payee must not have control characters"),
    ] {
        let wanted = json!({"total_fen": 1990, "description": "tea", "payee": name});
        let refused = server.post_order(&wanted).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name:?}");
        assert_eq!(refused.json["error"]["field"], "payee", "{name:?}");
        let message = refused.json["error"]["message"].as_str().unwrap();
        assert!(message.starts_with(rule), "{message}");
    }
    let token = order(&server, "tea-0001", &json!({"payee": longest})).await;
    assert_eq!(payee(&server, &token).await, longest);
}
